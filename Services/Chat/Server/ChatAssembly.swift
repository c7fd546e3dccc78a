internal import Backup
internal import ChatCore
internal import Contracts
package import Logging
package import Privacy
package import RPC
package import ServiceKit
package import ServiceLifecycle
package import Storage
internal import StorageStatus

/// Chat, put together: the only place where its parts are made.
package struct ChatAssembly: Sendable {
    package let handlers: [MethodHandler]
    /// Recognises participants.
    package let participants: any Authenticator
    package let upkeep: any Service
    package let feed: LiveFeed
    private let store: any SessionStore
    private let clock: GuardedClock

    /// - Parameters:
    ///   - folder: Of chat's files; created where missing.
    ///   - region: Where that is, as declared.
    ///   - identity: The channel to identity, which need not be up.
    ///   - retention: The channel to retention, which need not be up.
    ///   - reserve: What is kept on the disk for erasing.
    ///   - metrics: Where refusals are counted, and what the clock does.
    ///   - health: Says whether the clock is steady.
    /// - Throws: `StorageError` if the store can't be opened.
    package init(
        folder: String, region: Region, identity: RPCChannel, retention channel: RPCChannel,
        settings: ChatSettings, reserve: DiskReserve? = nil,
        metrics: MetricsRegistry? = nil, health: HealthService? = nil,
        clock: any WallClock = SystemWallClock(), logger: Logger
    ) async throws {
        let limits = settings.limits
        let retention = Retention(channel: channel)
        let files = try await FileSessionStore(
            in: folder, limits: settings.store, reports: StoreReports(metrics: metrics, logger: logger),
            whenGathered: { LoopTurn.whenGathered($0) }, reserve: reserve)
        store = files
        // What is past its time stays so when the system's clock is set back, and a step ahead erases nothing.
        let clock = GuardedClock(clock, stored: try await store.clockMark())
        self.clock = clock
        let places = WatcherPlaces(
            limits: limits, refusals: Refusals(WatcherPlaces.names, in: metrics, logger: logger))
        feed = LiveFeed(epoch: try await store.feedEpoch(), limits: limits, places: places)
        let directory = SessionDirectory(
            store: store, retention: retention, clock: clock, capacity: limits.sessionsInMemory)
        let log = SessionLog(store: store, directory: directory, feed: feed, places: places, clock: clock)
        let sessions = Sessions(
            storeTag: settings.storeTag, store: store, directory: directory, retention: retention, feed: feed,
            clock: clock, limits: limits)
        let handler = ChatHandler(
            directory: directory, sessions: sessions, controllers: Controllers(identity: identity),
            questions: Questions(store: store, directory: directory, feed: feed, clock: clock, limits: limits),
            following: Following(store: store, directory: directory, feed: feed),
            log: log, region: region)
        let clockHandler = ClockHandler(clock: clock, metrics: metrics, health: health, logger: logger) {
            [store] mark in
            try await store.storeClockMark(mark)
        }
        let backupHandler = BackupHandler(folder: folder, content: files, logger: logger) { Status.of($0) }
        handlers = handler.handlers + clockHandler.handlers + backupHandler.handlers
        participants = ParticipantAuthenticator(directory: directory)
        upkeep = SessionUpkeep(
            store: store, directory: directory, retention: retention, sessions: sessions, log: log,
            keyChanges: KeyChanges(store: store, directory: directory, retention: retention, feed: feed), feed: feed,
            clock: clock, limits: limits, interval: settings.upkeepInterval,
            deadlineInterval: settings.deadlineInterval, keyChangeDelay: settings.keyChangeDelay, logger: logger)
    }

    /// - Parameters:
    ///   - administrators: Recognises administrators.
    ///   - revocations: Keeps it up to date.
    package func parts(administrators: any Authenticator, revocations: [any Service] = []) -> ServiceParts {
        ServiceParts(
            handlers: handlers, authenticators: [administrators, participants],
            answeredBounds: RPCError.storeBounds(of: "chat"), background: [upkeep] + revocations,
            onDrain: { feed.drain() }, onStop: { await stop() })
    }

    /// Ends what is left of the feeds, finishes what was accepted and closes the store.
    package func stop() async {
        feed.drain()
        // If it can't be stored, what was stored a minute ago at most stands.
        try? await store.storeClockMark(clock.mark)
        await store.close()
    }
}

internal import Contracts
internal import Foundation
internal import GatewayCore
internal import NIOCore
internal import RPC
internal import ServiceKit
internal import Synchronization

/// One session's public feed: one watch upstream, its present state here, and everybody who follows it.
final class LiveFeed: Sendable {
    /// Why a feed is over.
    enum End: Sendable {
        /// The session is erased, unknown, or past the time of its erasure.
        case gone
        /// Upstream won't have it.
        case refused(RPCError)
        /// Upstream has been away for too long.
        case stale
        case unfollowed
        /// Chat's store was restored: what was shown is worth nothing. Followers come back, and are told so.
        case restored
        /// The gateway stops.
        case stopped

        /// What a browser is told that comes when the feed is over.
        var error: RPCError {
            switch self {
            case .gone: RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND")
            case .refused(let error): error
            case .stale: RPCError(.unavailable, "chat is not reachable", reason: "NEIGHBOUR_UNAVAILABLE")
            case .unfollowed, .restored, .stopped:
                RPCError(.unavailable, "the feed has ended, follow again", reason: "FEED_ENDED")
            }
        }
    }

    enum Phase {
        /// Upstream has not told the present state yet.
        case opening(waiters: [CheckedContinuation<Void, Never>])
        case live
        case ended(End)
    }

    struct State {
        var phase = Phase.opening(waiters: [])
        var content: FeedState<ByteBuffer>
        /// By event loop.
        var branches: [ObjectIdentifier: FeedBranch] = [:]
        var followers = 0
        var unfollowedSince: ContinuousClock.Instant? = .now
        /// When upstream was last heard of, if it is away.
        var lostSince: ContinuousClock.Instant?
        /// Since when upstream has not answered though its connections stand: it hangs, or was stopped.
        var silentSince: ContinuousClock.Instant?
        /// Whether followers have been told that it is away.
        var isAwayTold = false
        /// From then on nothing may be seen.
        var deleteTime: Date?

        /// Since when nothing has been known of upstream.
        var awaySince: ContinuousClock.Instant? { [lostSince, silentSince].compactMap { $0 }.min() }

        /// Upstream has been heard of.
        mutating func tellIfBack() {
            guard isAwayTold, awaySince == nil else { return }
            isAwayTold = false
            broadcast(.event(FeedFrame.back))
        }

        func broadcast(_ item: FeedBranch.Item) {
            for branch in branches.values { branch.enqueue(item) }
        }
    }

    let sessionID: String
    /// Whose session it is.
    let organisation: String
    /// The client that opened it, on whose account its place is.
    let opener: ClientMarks.Marks
    let place: Places.Place
    let limits: FeedLimits
    let chat: ChatV1.ChatServiceClient
    let now: @Sendable () -> Date
    let state: Mutex<State>
    /// Set with the phase, and read by the hub, with its own lock, without this feed's.
    let isOver = Atomic(false)
    /// Ends when the feed gives way.
    let givingWay: AsyncStream<Void>
    private let hasGivenWay: AsyncStream<Void>.Continuation

    init(
        sessionID: String, organisation: String, opener: ClientMarks.Marks, place: Places.Place,
        chat: ChatV1.ChatServiceClient, limits: FeedLimits, now: @escaping @Sendable () -> Date
    ) {
        self.sessionID = sessionID
        self.organisation = organisation
        self.opener = opener
        self.place = place
        (givingWay, hasGivenWay) = AsyncStream.makeStream()
        self.chat = chat
        self.limits = limits
        self.now = now
        state = Mutex(State(content: FeedState(byteLimit: limits.stateBytes)))
    }

    /// Waits until the present state is known. How long is bounded by the feed's own time limit for opening.
    func opened() async {
        await withCheckedContinuation { continuation in
            let isOpening = state.withLock { state in
                guard case .opening(let waiters) = state.phase else { return false }
                state.phase = .opening(waiters: waiters + [continuation])
                return true
            }
            if !isOpening { continuation.resume() }
        }
    }

    /// Takes a follower in: what it missed, and from that point on everything that comes.
    ///
    /// - Throws: NOT_FOUND and other reasons for which the feed is over.
    func join(
        on channel: any Channel, after point: ServerSentEvent.ResumePoint, place: Places.Place
    ) throws(RPCError) -> (missed: [ByteBuffer], follower: Follower) {
        let outcome = state.withLock { state -> Result<([ByteBuffer], Follower), RPCError> in
            if let deleteTime = state.deleteTime, now() >= deleteTime { return .failure(End.gone.error) }
            switch state.phase {
            case .opening: return .failure(End.unfollowed.error)
            case .ended(let end): return .failure(end.error)
            case .live: break
            }
            state.followers += 1
            state.unfollowedSince = nil
            let follower = Follower(channel: channel, waitingLimit: limits.waitingEvents, place: place)
            let loop = ObjectIdentifier(channel.eventLoop)
            let branch = state.branches[loop] ?? FeedBranch(eventLoop: channel.eventLoop)
            state.branches[loop] = branch
            branch.enqueue(.add(follower))
            var (isReset, missed) = state.content.replay(after: point)
            if isReset { missed.insert(FeedFrame.resetBuffer, at: 0) }
            missed.append(FeedFrame.caughtUpBuffer(state.content.lastPosition))
            if state.isAwayTold { missed.append(FeedFrame.away) }
            return .success((missed, follower))
        }
        let (missed, follower) = try outcome.get()
        follower.whenEnded.whenComplete { [weak self] _ in self?.left() }
        return (missed, follower)
    }

    private func left() {
        state.withLock { state in
            state.followers -= 1
            if state.followers == 0 { state.unfollowedSince = .now }
        }
    }

    /// Since when nobody has followed it; nil while it opens, is followed or is over.
    var idleSince: ContinuousClock.Instant? {
        state.withLock { state in
            guard case .live = state.phase, state.followers == 0 else { return nil }
            return state.unfollowedSince
        }
    }

    /// Ends the feed, unless somebody follows it by now.
    func giveWay() -> Bool {
        let givesWay = state.withLock { state in
            guard case .live = state.phase, state.followers == 0 else { return false }
            state.phase = .ended(.unfollowed)
            isOver.store(true, ordering: .releasing)
            return true
        }
        if givesWay { hasGivenWay.finish() }
        return givesWay
    }

    /// Ends the feed: whoever waits or follows is told, and nothing of the session stays in memory.
    func finish(_ end: End) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            let phase = state.phase
            state.phase = .ended(end)
            isOver.store(true, ordering: .releasing)
            if case .gone = end { state.broadcast(.event(FeedFrame.gone)) }
            state.broadcast(.end)
            state.branches = [:]
            state.content = FeedState(byteLimit: limits.stateBytes)
            if case .opening(let waiters) = phase { return waiters }
            return []
        }
        for waiter in waiters { waiter.resume() }
    }
}

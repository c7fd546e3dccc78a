internal import Contracts
package import Foundation
internal import GatewayCore
internal import NIOCore
package import RPC
internal import Synchronization

/// The live feeds: one for each session that anybody follows, however many do.
package final class FeedHub: Sendable {
    /// A follower's place; it is given back when the last reference goes.
    final class Place: Sendable {
        private let giveBack: @Sendable () -> Void

        init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

        deinit { giveBack() }
    }

    /// What a follower takes a place among. Moderators have places of their own: anybody may become a participant, and
    /// participants must not be able to keep moderators out.
    enum PlaceKind: Sendable { case shared, own, moderator }

    private struct State {
        var feeds: [String: LiveFeed] = [:]
        var places: [PlaceKind: Int] = [:]
        var isStopping = false
        /// Feeds of one follower, to be ended when the gateway stops.
        var ownFeeds: [Int: AsyncStream<Never>.Continuation] = [:]
        var nextOwnFeed = 0
    }

    let chat: ChatV1.ChatServiceClient
    let limits: FeedLimits
    private let now: @Sendable () -> Date
    private let state = Mutex(State())
    private let starting: AsyncStream<LiveFeed>
    private let starter: AsyncStream<LiveFeed>.Continuation

    /// - Parameter now: the time of day, for the deadline of a session.
    package init(
        chat: RPCChannel, limits: FeedLimits = FeedLimits(), now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.chat = ChatV1.ChatServiceClient(channel: chat)
        self.limits = limits
        self.now = now
        // Bounded by the number of sessions that may be followed.
        (starting, starter) = AsyncStream.makeStream()
    }

    /// Follows upstream whatever is followed here, until the task is cancelled; then every feed ends.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await feed in starting {
                group.addTask {
                    await feed.run()
                    self.remove(feed)
                }
            }
            group.cancelAll()
        }
        stop()
        // Those that had not been started when the task was cancelled.
        for feed in state.withLock({ Array($0.feeds.values) }) { feed.finish(.stopped) }
    }

    /// Ends every feed, and takes no more followers. Browsers come back to the gateway's next life by themselves.
    package func stop() {
        let ownFeeds = state.withLock { state in
            state.isStopping = true
            return state.ownFeeds.values
        }
        for feed in ownFeeds { feed.finish() }
        starter.finish()
    }

    /// Returns when the gateway stops, or when the task is cancelled.
    func untilStopped() async {
        let (end, feed) = AsyncStream<Never>.makeStream()
        let number = state.withLock { state in
            if state.isStopping { feed.finish() }
            state.nextOwnFeed += 1
            state.ownFeeds[state.nextOwnFeed] = feed
            return state.nextOwnFeed
        }
        for await _ in end {}
        state.withLock { $0.ownFeeds[number] = nil }
    }

    /// Joins the session's feed, which begins with its first follower.
    func join(
        _ sessionID: String, on channel: any Channel, after sequence: UInt64
    ) async throws(RPCError) -> (missed: [ByteBuffer], follower: Follower) {
        let place = try takePlace(.shared)
        let feed = try await openFeed(of: sessionID)
        do throws(RPCError) {
            return try feed.join(on: channel, after: sequence, place: place)
        } catch  where error.reason == LiveFeed.End.unfollowed.error.reason {
            // It was dropped, having had no followers, just when one came. The next feed is a new one.
            return try await openFeed(of: sessionID).join(on: channel, after: sequence, place: place)
        }
    }

    private func openFeed(of sessionID: String) async throws(RPCError) -> LiveFeed {
        let feed = try feed(of: sessionID)
        await feed.opened()
        return feed
    }

    /// Those who follow a shared feed now.
    package var followerCount: Int { state.withLock { $0.places[.shared, default: 0] } }

    func takePlace(_ kind: PlaceKind) throws(RPCError) -> Place {
        let limit =
            switch kind {
            case .shared: limits.followers
            case .own: limits.ownWatches
            case .moderator: limits.moderatorWatches
            }
        let isFree = state.withLock { state in
            guard state.places[kind, default: 0] < limit else { return false }
            state.places[kind, default: 0] += 1
            return true
        }
        guard isFree else { throw .tooManyFollowers }
        return Place { [weak self] in self?.state.withLock { $0.places[kind, default: 0] -= 1 } }
    }

    private func feed(of sessionID: String) throws(RPCError) -> LiveFeed {
        let outcome = state.withLock { state -> Result<LiveFeed, RPCError> in
            if state.isStopping { return .failure(LiveFeed.End.stopped.error) }
            if let feed = state.feeds[sessionID], !feed.isOver.load(ordering: .acquiring) { return .success(feed) }
            guard state.feeds.count < limits.sessions else { return .failure(.tooManyFollowers) }
            let feed = LiveFeed(sessionID: sessionID, chat: chat, limits: limits, now: now)
            state.feeds[sessionID] = feed
            starter.yield(feed)
            return .success(feed)
        }
        return try outcome.get()
    }

    private func remove(_ feed: LiveFeed) {
        state.withLock { state in
            if state.feeds[feed.sessionID] === feed { state.feeds[feed.sessionID] = nil }
        }
    }
}

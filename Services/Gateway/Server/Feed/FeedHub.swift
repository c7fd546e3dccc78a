internal import Contracts
package import Foundation
internal import GatewayCore
internal import NIOCore
package import RPC
package import ServiceKit
internal import Synchronization

/// The connections to chat that feeds are watched over: one for each kind, so that none takes the calls of another.
package struct FeedChannels: Sendable {
    package var sessions: RPCChannel
    package var moderators: RPCChannel
    /// How many of them there are.
    static let forParticipants = 4

    /// Several, in turn: there are more participants than a connection takes calls.
    package var participants: [RPCChannel]

    package init(sessions: RPCChannel, moderators: RPCChannel, participants: [RPCChannel]) {
        self.sessions = sessions
        self.moderators = moderators
        self.participants = participants
    }
}

/// The live feeds: one for each session that anybody follows, however many do.
package final class FeedHub: Sendable {
    private struct State {
        var feeds: [String: LiveFeed] = [:]
        var isStopping = false
        /// Feeds of one follower, to be ended when the gateway stops.
        var ownFeeds: [Int: AsyncStream<Never>.Continuation] = [:]
        var nextOwnFeed = 0
    }

    let limits: FeedLimits
    let places: FeedPlaces
    private let chat: ChatV1.ChatServiceClient
    private let moderators: ChatV1.ChatServiceClient
    private let participants: [ChatV1.ChatServiceClient]
    private let owners: SessionOwners
    private let nextParticipant = Atomic(0)
    private let now: @Sendable () -> Date
    private let state = Mutex(State())
    private let starting: AsyncStream<LiveFeed>
    private let starter: AsyncStream<LiveFeed>.Continuation

    /// - Parameters:
    ///   - recognise: tells whose places a moderator takes.
    ///   - now: the time of day, for the deadline of a session.
    package init(
        chat: FeedChannels, limits: FeedLimits = FeedLimits(), refusals: Refusals,
        recognise: @escaping AdministratorRecognition, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.chat = ChatV1.ChatServiceClient(channel: chat.sessions)
        owners = SessionOwners(chat: self.chat)
        moderators = ChatV1.ChatServiceClient(channel: chat.moderators)
        participants = chat.participants.map(ChatV1.ChatServiceClient.init)
        self.limits = limits
        places = FeedPlaces(limits: limits, refusals: refusals, recognise: recognise)
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

    /// Whether chat answers when it is asked for its health, whenever that changes.
    package func chat(answers: Bool) {
        for feed in state.withLock({ Array($0.feeds.values) }) { feed.upstream(answers: answers) }
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
        _ sessionID: String, from client: ClientAddress, on channel: any Channel,
        after point: ServerSentEvent.ResumePoint
    ) async throws(RPCError) -> (missed: [ByteBuffer], follower: Follower) {
        let client = places.marks(of: client)
        let organisation = try await organisation(of: sessionID, for: client)
        let place = try places.follower(of: sessionID, organisation, client: client)
        let feed = try await openFeed(of: sessionID, organisation, for: client)
        do throws(RPCError) {
            return try feed.join(on: channel, after: point, place: place)
        } catch  where error.reason == LiveFeed.End.unfollowed.error.reason {
            // It was dropped, having had no followers, just when one came. The next feed is a new one.
            return try await openFeed(of: sessionID, organisation, for: client)
                .join(on: channel, after: point, place: place)
        }
    }

    /// Whose session it is.
    /// - Parameter client: the marks of the client that follows.
    func organisation(of sessionID: String, for client: ClientMarks.Marks) async throws(RPCError) -> String {
        // Chat may be away while its last known state is shown.
        if let feed = try known(sessionID) { return feed.organisation }
        return try await owners.organisation(of: sessionID, for: client.network ?? client.client)
    }

    /// A watch of one follower's own.
    func watch(_ request: ChatV1.WatchSessionRequest, options: CallOptions) -> ResponseStream<ChatV1.SessionEvent> {
        if request.audience == .moderators { return moderators.watchSession(request, options: options) }
        let turn = nextParticipant.wrappingAdd(1, ordering: .relaxed).oldValue
        return participants[Int(turn.magnitude % participants.count.magnitude)].watchSession(request, options: options)
    }

    private func openFeed(
        of sessionID: String, _ organisation: String, for client: ClientMarks.Marks
    ) async throws(RPCError) -> LiveFeed {
        let feed = try feed(of: sessionID, organisation, for: client)
        await feed.opened()
        return feed
    }

    /// Those who follow a shared feed now.
    package var followerCount: Int { places.followerCount }

    /// The sessions followed upstream now.
    package var feedCount: Int { state.withLock { $0.feeds.count } }

    private func feed(
        of sessionID: String, _ organisation: String, for client: ClientMarks.Marks
    ) throws(RPCError) -> LiveFeed {
        if let feed = try known(sessionID) { return feed }
        let place = try places.feed(of: organisation, openedBy: client) { reached in
            letIdleFeedGo { feed in
                switch reached.bound {
                case limits.feedsOfClient.name: feed.opener.client == client.client
                case limits.feedsOfNetwork.name: feed.opener.network == client.network
                case limits.feedsOfOrganisation.name: feed.organisation == organisation
                default: true
                }
            }
        }
        let outcome = state.withLock { state -> Result<LiveFeed, RPCError> in
            if state.isStopping { return .failure(LiveFeed.End.stopped.error) }
            // Somebody may have been quicker.
            if let feed = state.feeds[sessionID], !feed.isOver.load(ordering: .acquiring) { return .success(feed) }
            let feed = LiveFeed(
                sessionID: sessionID, organisation: organisation, opener: client, place: place, chat: chat,
                limits: limits,
                now: now)
            state.feeds[sessionID] = feed
            starter.yield(feed)
            return .success(feed)
        }
        return try outcome.get()
    }

    private func known(_ sessionID: String) throws(RPCError) -> LiveFeed? {
        let (feed, isStopping) = state.withLock { ($0.feeds[sessionID], $0.isStopping) }
        if isStopping { throw LiveFeed.End.stopped.error }
        return feed.flatMap { $0.isOver.load(ordering: .acquiring) ? nil : $0 }
    }

    /// Lets the feed go that nobody has followed for the longest time.
    /// - Parameter counts: those that are looked at.
    /// - Returns: false when every one of them is followed.
    private func letIdleFeedGo(where counts: (LiveFeed) -> Bool) -> Bool {
        let feeds = state.withLock { Array($0.feeds.values) }
        let idle = feeds.compactMap { feed in
            counts(feed) ? feed.idleSince.map { (feed, $0) } : nil
        }
        for (feed, _) in idle.sorted(by: { $0.1 < $1.1 }) where feed.giveWay() {
            remove(feed)
            return true
        }
        return false
    }

    private func remove(_ feed: LiveFeed) {
        feed.place.giveBack()
        state.withLock { state in
            if state.feeds[feed.sessionID] === feed { state.feeds[feed.sessionID] = nil }
        }
    }
}

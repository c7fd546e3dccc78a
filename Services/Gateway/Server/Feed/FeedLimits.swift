package import GatewayCore
package import ServiceKit

/// The bounds of the live feeds. What is watched upstream goes over connections of its own for each
/// kind, each of which takes 1,024 calls: one for sessions, one for moderators, four for participants.
package struct FeedLimits: Sendable {
    /// Sessions followed upstream at the same time, however many follow each.
    package var feeds = Bound("feeds", most: 900)
    /// Of these, opened by one client. Generous, because an office or a lecture hall may share one address.
    package var feedsOfClient = Bound("feeds-of-client", most: 200, whenCrowded: 20)
    /// Of these, opened from one IPv6 /48.
    package var feedsOfNetwork = Bound("feeds-of-network", most: 300, whenCrowded: 40)
    /// Of these, of one organisation's sessions.
    package var feedsOfOrganisation = Bound("feeds-of-organisation", most: 300, whenCrowded: 30)
    /// Who follows a public feed without a token.
    package var followers = Bound("followers", most: 16_000)
    package var followersOfSession = Bound("followers-of-session", most: 10_000, whenCrowded: 1_000)
    package var followersOfOrganisation = Bound("followers-of-organisation", most: 12_000, whenCrowded: 1_500)
    package var followersOfClient = Bound("followers-of-client", most: 10_000, whenCrowded: 400)
    package var followersOfNetwork = Bound("followers-of-network", most: 12_000, whenCrowded: 800)
    /// Who follows what moderators see, each with an authorisation and a watch upstream of their own.
    package var moderators = Bound("moderator-feeds", most: 900)
    package var moderatorsOfOrganisation = Bound("moderator-feeds-of-organisation", most: 120, whenCrowded: 16)
    package var moderatorsOfSession = Bound("moderator-feeds-of-session", most: 80, whenCrowded: 12)
    /// Tabs of one person.
    package var moderatorsOfAdministrator = Bound("moderator-feeds-of-administrator", most: 12, whenCrowded: 4)
    /// Those whose token can't be looked at here, because identity is away: chat may know its key.
    package var unrecognisedModerators = Bound("moderator-feeds-unrecognised", most: 100)
    /// Who follows a public feed with a token, each with a watch upstream of their own.
    package var participants = Bound("participant-feeds", most: 3_600)
    package var participantsOfToken = Bound("participant-feeds-of-token", most: 8, whenCrowded: 2)
    package var participantsOfSession = Bound("participant-feeds-of-session", most: 2_000, whenCrowded: 200)
    package var participantsOfOrganisation = Bound("participant-feeds-of-organisation", most: 2_400, whenCrowded: 300)
    package var participantsOfClient = Bound("participant-feeds-of-client", most: 1_000, whenCrowded: 50)
    package var participantsOfNetwork = Bound("participant-feeds-of-network", most: 1_500, whenCrowded: 100)
    /// Bytes of one session's present state.
    package var stateBytes = 32 * 1024 * 1024
    /// Events that may arrive while a follower is still being sent what it missed.
    package var waitingEvents = 1_024
    package var heartbeat: Duration = .seconds(15)
    /// How long upstream may take to tell the present state.
    package var openTimeout: Duration = .seconds(10)
    /// How long a feed without followers is kept, unless another needs its place.
    package var unfollowedTime: Duration = .seconds(60)
    /// How long the last known state is shown while upstream is away. After it the state is dropped: what was erased in
    /// the meantime must not be served from here.
    package var staleTime: Duration = .seconds(60)
    /// How long upstream is away before followers are told: a restart isn't worth a word.
    package var awayTime: Duration = .seconds(3)
    /// What browsers are told to wait before they connect again.
    package var retry: Duration = .seconds(2)
    package var backoff = Backoff()

    package init() {}

    /// The bounds on followers, by name.
    package var names: [String] {
        [
            feeds, feedsOfClient, feedsOfNetwork, feedsOfOrganisation, followers, followersOfSession,
            followersOfOrganisation, followersOfClient, followersOfNetwork, moderators, moderatorsOfOrganisation,
            moderatorsOfSession, moderatorsOfAdministrator, unrecognisedModerators, participants, participantsOfToken,
            participantsOfSession, participantsOfOrganisation, participantsOfClient, participantsOfNetwork,
        ].map(\.name)
    }
}

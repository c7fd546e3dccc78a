internal import GatewayCore
internal import RPC
internal import ServiceKit
internal import Synchronization

/// Whose token it is: an administrator's id and their organisation's; nil when that can't be told here.
package typealias AdministratorRecognition =
    @Sendable (_ authorization: String) async -> (
        administrator: String, organisation: String
    )?

/// The places of those who follow. Each kind has places of its own, so that anybody who becomes a participant can't keep
/// moderators out; and within a kind nobody holds so many that others have none.
///
/// Who holds a place is known by a token's hash or a client's mark, in memory and no longer than the place is held.
final class FeedPlaces: Sendable {
    let limits: FeedLimits
    private let feeds: Places
    private let followers: Places
    private let moderators: Places
    private let participants: Places
    private let recognise: AdministratorRecognition
    private let marks = Mutex(ClientMarks(now: .now))

    init(limits: FeedLimits, refusals: Refusals, recognise: @escaping AdministratorRecognition) {
        self.limits = limits
        self.recognise = recognise
        feeds = Places(all: limits.feeds, refusals: refusals)
        followers = Places(all: limits.followers, refusals: refusals)
        moderators = Places(all: limits.moderators, refusals: refusals)
        participants = Places(all: limits.participants, refusals: refusals)
    }

    func marks(of client: ClientAddress) -> ClientMarks.Marks { marks.withLock { $0.marks(of: client, now: .now) } }

    private func accounts(of client: ClientMarks.Marks, _ own: Bound, _ network: Bound) -> [Places.Account] {
        [.init(own, of: client.client)] + (client.network.map { [.init(network, of: $0)] } ?? [])
    }

    /// Those who follow a shared feed now.
    var followerCount: Int { followers.taken }

    /// A place for one more session's feed, on the account of the client that opens it and of the session's organisation.
    ///
    /// - Parameter makingRoom: lets a feed go that nobody follows, of those that count for the bound that was reached;
    ///   false when there is none.
    func feed(
        of organisation: String, openedBy client: ClientMarks.Marks, makingRoom: (_ reached: BoundReached) -> Bool
    ) throws(RPCError) -> Places.Place {
        let accounts =
            accounts(of: client, limits.feedsOfClient, limits.feedsOfNetwork)
            + [.init(limits.feedsOfOrganisation, of: organisation)]
        while true {
            do throws(BoundReached) {
                return try feeds.take(accounts, countingRefusal: false)
            } catch {
                guard makingRoom(error) else {
                    feeds.count(error)
                    throw .tooManyFollowers(error)
                }
            }
        }
    }

    /// - Parameter organisation: the session's.
    func follower(
        of sessionID: String, _ organisation: String, client: ClientMarks.Marks
    ) throws(RPCError) -> Places.Place {
        try take(
            in: followers,
            [
                .init(limits.followersOfSession, of: sessionID),
                .init(limits.followersOfOrganisation, of: organisation),
            ] + accounts(of: client, limits.followersOfClient, limits.followersOfNetwork))
    }

    /// - Parameter organisation: the session's.
    func participant(
        of sessionID: String, _ organisation: String, token: String, client: ClientMarks.Marks
    ) throws(RPCError) -> Places.Place {
        try take(
            in: participants,
            [
                .init(limits.participantsOfToken, of: TokenMark.of(token)),
                .init(limits.participantsOfSession, of: sessionID),
                .init(limits.participantsOfOrganisation, of: organisation),
            ] + accounts(of: client, limits.participantsOfClient, limits.participantsOfNetwork))
    }

    /// - Parameter authorization: the header as it came. One whose holder can't be told here takes one of a few places of
    ///   its own, until chat says what it thinks of it.
    func moderator(of sessionID: String, authorization: String) async throws(RPCError) -> Places.Place {
        guard let (administrator, organisation) = await recognise(authorization) else {
            return try take(
                in: moderators,
                [
                    .init(limits.moderatorsOfAdministrator, of: TokenMark.of(authorization)),
                    .init(limits.unrecognisedModerators, of: ""),
                ])
        }
        // Under the organisation's name: the session may be another's, which chat finds out.
        return try take(
            in: moderators,
            [
                .init(limits.moderatorsOfAdministrator, of: administrator),
                .init(limits.moderatorsOfSession, of: "\(organisation) \(sessionID)"),
                .init(limits.moderatorsOfOrganisation, of: organisation),
            ])
    }

    private func take(in places: Places, _ accounts: [Places.Account]) throws(RPCError) -> Places.Place {
        do throws(BoundReached) {
            return try places.take(accounts)
        } catch {
            throw .tooManyFollowers(error)
        }
    }
}

extension RPCError {
    static func tooManyFollowers(_ reached: BoundReached) -> RPCError {
        RPCError(
            reached, "too many follow already, try again later", reason: "TOO_MANY_FOLLOWERS", retryAfter: .seconds(5))
    }
}

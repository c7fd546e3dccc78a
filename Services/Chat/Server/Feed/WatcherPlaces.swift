internal import ChatCore
internal import ServiceKit

/// The places of those who follow sessions, and of those who read logs: bounded for each who takes them, so that no
/// session, organisation or person takes those of all others.
final class WatcherPlaces: Sendable {
    private let everyone: Places
    private let moderators: Places
    private let logs: Places

    private let ofSession: Bound
    private let ofOrganisation: Bound
    private let ofParticipant: Bound
    private let moderatorsOfSession: Bound
    private let moderatorsOfOrganisation: Bound
    private let moderatorsOfAdministrator: Bound
    private let logsOfOrganisation: Bound

    /// Every name there is.
    static let names = [
        "watchers", "watchers-of-session", "watchers-of-organisation", "watchers-of-participant", "moderator-watchers",
        "moderator-watchers-of-session", "moderator-watchers-of-organisation", "moderator-watchers-of-administrator",
        "log-reads", "log-reads-of-organisation",
    ]

    init(limits: ChatLimits, refusals: Refusals) {
        everyone = Places(all: Bound("watchers", most: limits.watchers), refusals: refusals)
        moderators = Places(all: Bound("moderator-watchers", most: limits.moderatorWatchers), refusals: refusals)
        logs = Places(all: Bound("log-reads", most: limits.logReads), refusals: refusals)
        ofSession = Bound("watchers-of-session", most: limits.watchersOfSession)
        ofOrganisation = Bound("watchers-of-organisation", most: limits.watchersOfOrganisation)
        ofParticipant = Bound("watchers-of-participant", most: limits.watchersOfParticipant)
        moderatorsOfSession = Bound("moderator-watchers-of-session", most: limits.moderatorWatchersOfSession)
        moderatorsOfOrganisation = Bound(
            "moderator-watchers-of-organisation", most: limits.moderatorWatchersOfOrganisation)
        moderatorsOfAdministrator = Bound(
            "moderator-watchers-of-administrator", most: limits.moderatorWatchersOfAdministrator)
        logsOfOrganisation = Bound("log-reads-of-organisation", most: limits.logReadsOfOrganisation)
    }

    /// - Throws: ``ChatError/tooManyWatchers(_:)``.
    func watcher(of session: OpenedSession, as audience: Audience, by principal: Principal) throws(ChatError)
        -> Places.Place
    {
        let organisation = session.record.organisationID
        var accounts: [Places.Account]
        switch audience {
        case .everyone, .author:
            accounts = [.init(ofSession, of: session.id), .init(ofOrganisation, of: organisation)]
            if case .participant(let id, _, _) = principal { accounts.append(.init(ofParticipant, of: id)) }
        case .moderators:
            accounts = [.init(moderatorsOfSession, of: session.id), .init(moderatorsOfOrganisation, of: organisation)]
            if case .administrator(let id, _) = principal { accounts.append(.init(moderatorsOfAdministrator, of: id)) }
        }
        do throws(BoundReached) {
            return try (audience == .moderators ? moderators : everyone).take(accounts)
        } catch {
            throw .tooManyWatchers(error.bound)
        }
    }

    /// - Throws: ``ChatError/tooManyLogReads(_:)``.
    func log(of session: OpenedSession) throws(ChatError) -> Places.Place {
        do throws(BoundReached) {
            return try logs.take([.init(logsOfOrganisation, of: session.record.organisationID)])
        } catch {
            throw .tooManyLogReads(error.bound)
        }
    }
}

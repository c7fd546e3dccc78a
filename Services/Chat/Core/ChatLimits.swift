/// Every bound of chat, by name. The lengths of texts are in characters, as the contract states them.
package struct ChatLimits: Sendable, Hashable {
    package static let titleLength = 200
    package static let nameLength = 60
    package static let questionLength = 2_000
    package static let answerLength = 10_000

    /// Questions of one session.
    package var questionsPerSession: Int64 = 200_000
    /// Questions of one participant in one session.
    package var questionsPerParticipant = 500
    /// Answers to one question; keeps any question's message below a megabyte.
    package var answersPerQuestion = 20
    /// Changes of one session: moderating back and forth must not fill the disk.
    package var eventsPerSession: Int64 = 4_000_000
    /// Changes that wait for one watcher; a watcher further behind is told to resume.
    package var changesPerWatcher = 1_024
    /// Watchers of what everyone or an author sees: of all sessions, of one organisation's, of one; and one participant's.
    package var watchers = 60_000
    package var watchersOfOrganisation = 30_000
    package var watchersOfSession = 20_000
    package var watchersOfParticipant = 8
    /// Watchers of what moderators see, likewise; and of one administrator's.
    package var moderatorWatchers = 4_096
    package var moderatorWatchersOfOrganisation = 256
    package var moderatorWatchersOfSession = 160
    package var moderatorWatchersOfAdministrator = 32
    /// Logs that are being read, of all sessions and of one organisation's.
    package var logReads = 64
    package var logReadsOfOrganisation = 8
    /// Sessions whose record and key are kept in memory; the least recently used is forgotten first.
    package var sessionsInMemory = 10_000
    /// A session that nobody ends is ended this long after it was created.
    package var sessionDays = 30

    package init() {}
}

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
    /// Watchers of one session and audience; all its authors together are one.
    package var watchersPerAudience = 20_000
    /// Watchers of one participant's own questions: as many pages as one person has open.
    package var watchersPerAuthor = 8
    /// Sessions whose record and key are kept in memory; the least recently used is forgotten first.
    package var sessionsInMemory = 10_000
    /// A session that nobody ends is ended this long after it was created.
    package var sessionDays = 30

    package init() {}
}

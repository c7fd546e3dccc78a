internal import ArgumentParser
internal import ChatServer

/// What is chat's own on the command line.
struct ChatOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The beginning of every session id made here, 1 to 16 of a–z and 0–9, one for each store.",
            valueName: "tag"))
    var storeTag = "a"

    @Option(
        help: ArgumentHelp(
            "A session that nobody ends is ended so many days after it was created, 1 to 366.", valueName: "days"))
    var maxSessionDays = 30

    @Option(help: ArgumentHelp("The most questions of one session, 1 to 1000000.", valueName: "n"))
    var maxQuestions: Int64 = 200_000

    @Option(
        help: ArgumentHelp("The most questions of one participant in one session, 1 to 1000000.", valueName: "n"))
    var maxQuestionsPerParticipant = 500

    @Option(
        help: ArgumentHelp(
            "So many minutes after a question was deleted its session's key is changed, 0 to 50.", valueName: "minutes")
    )
    var keyChangeDelay = 10

    func validate() throws {
        guard (0...50).contains(keyChangeDelay) else { throw ValidationError("--key-change-delay must be 0 to 50") }
        guard (1...366).contains(maxSessionDays) else {
            throw ValidationError("--max-session-days must be 1 to 366")
        }
        guard (1...1_000_000).contains(maxQuestions) else {
            throw ValidationError("--max-questions must be 1 to 1000000")
        }
        guard (1...1_000_000).contains(maxQuestionsPerParticipant) else {
            throw ValidationError("--max-questions-per-participant must be 1 to 1000000")
        }
        _ = try settings()
    }

    func settings() throws -> ChatSettings {
        do {
            var settings = try ChatSettings(
                storeTag: storeTag, sessionDays: maxSessionDays, questionsPerSession: maxQuestions,
                questionsPerParticipant: maxQuestionsPerParticipant)
            settings.keyChangeDelay = .seconds(60 * keyChangeDelay)
            return settings
        } catch {
            throw ValidationError("--store-tag must be 1 to 16 of a–z and 0–9")
        }
    }
}

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

    func validate() throws {
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
            return try ChatSettings(
                storeTag: storeTag, sessionDays: maxSessionDays, questionsPerSession: maxQuestions,
                questionsPerParticipant: maxQuestionsPerParticipant)
        } catch {
            throw ValidationError("--store-tag must be 1 to 16 of a–z and 0–9")
        }
    }
}

import ChatServer
import Contracts
import Foundation
import Privacy
import RPC
import ServiceKit

/// One run of chat, as its callers see it.
struct Chat: Sendable {
    let world: World
    let client: ChatV1.ChatServiceClient
    let assembly: ChatAssembly
    let metrics: MetricsRegistry

    func administrator(of organisation: String = Organisation.a, id: String = "adm-1") async throws -> CallOptions {
        let token = try await world.tokens.sign(
            AccessTokenClaims(administratorID: id, organisationID: organisation, tokenID: "t", issuedAt: Date()))
        return CallOptions(metadata: ["authorization": "Bearer \(token)"])
    }

    static func participant(_ token: String) -> CallOptions {
        CallOptions(metadata: ["samtal-participant": token])
    }

    /// A session of organisation A, open unless said otherwise.
    func session(title: String = "Frågor om pension", opened: Bool = true) async throws -> String {
        let administrator = try await administrator()
        let session = try await client.createSession(ChatV1.CreateSessionRequest(title: title), options: administrator)
        if opened {
            _ = try await client.openSession(
                ChatV1.OpenSessionRequest(sessionID: session.sessionID), options: administrator)
        }
        return session.sessionID
    }

    /// - Returns: Options of a new participant.
    func join(_ sessionID: String, name: String = "") async throws -> CallOptions {
        let joined = try await client.joinSession(
            ChatV1.JoinSessionRequest(sessionID: sessionID, displayName: name))
        return Chat.participant(joined.participantToken)
    }

    func ask(
        _ text: String, in sessionID: String, as participant: CallOptions, requestID: String = Chat.requestID()
    ) async throws -> ChatV1.Question {
        try await client.askQuestion(
            ChatV1.AskQuestionRequest(sessionID: sessionID, text: text, requestID: requestID), options: participant)
    }

    func publish(_ question: ChatV1.Question) async throws -> ChatV1.Question {
        try await client.publishQuestion(
            ChatV1.PublishQuestionRequest(sessionID: question.sessionID, questionID: question.questionID),
            options: try await administrator())
    }

    func reject(_ question: ChatV1.Question) async throws -> ChatV1.Question {
        try await client.rejectQuestion(
            ChatV1.RejectQuestionRequest(sessionID: question.sessionID, questionID: question.questionID),
            options: try await administrator())
    }

    func answer(
        _ question: ChatV1.Question, _ text: String, by host: String = "", requestID: String = Chat.requestID()
    ) async throws -> ChatV1.Question {
        try await client.answerQuestion(
            ChatV1.AnswerQuestionRequest(
                sessionID: question.sessionID, questionID: question.questionID, text: text, hostName: host,
                requestID: requestID), options: try await administrator())
    }

    func end(_ sessionID: String) async throws -> ChatV1.Session {
        try await client.endSession(
            ChatV1.EndSessionRequest(sessionID: sessionID), options: try await administrator())
    }

    /// All that a participant has asked.
    func listOwn(
        _ sessionID: String, as participant: CallOptions, pageSize: UInt32 = 0
    ) async throws -> [ChatV1.Question] {
        try await list(sessionID, as: participant, pageSize: pageSize, own: true)
    }

    /// All that a viewer sees, over as many pages as it takes.
    func list(
        _ sessionID: String, as options: CallOptions = CallOptions(), pageSize: UInt32 = 0, own: Bool = false
    ) async throws -> [ChatV1.Question] {
        var questions: [ChatV1.Question] = []
        var token = ""
        repeat {
            let page = try await client.listQuestions(
                ChatV1.ListQuestionsRequest(sessionID: sessionID, pageSize: pageSize, pageToken: token, own: own),
                options: options)
            questions += page.questions
            token = page.nextPageToken
        } while !token.isEmpty
        return questions
    }

    func watch(
        _ sessionID: String, after position: String = "", _ audience: ChatV1.Audience = .public,
        as options: CallOptions = CallOptions()
    ) -> ResponseStream<ChatV1.SessionEvent> {
        client.watchSession(
            ChatV1.WatchSessionRequest(sessionID: sessionID, position: position, audience: audience),
            options: options)
    }

    func log(_ sessionID: String) async throws -> [ChatV1.SessionLogEntry] {
        var entries: [ChatV1.SessionLogEntry] = []
        let request = ChatV1.ReadSessionLogRequest(sessionID: sessionID)
        for try await entry in client.readSessionLog(request, options: CallOptions()) { entries.append(entry) }
        return entries
    }

    func erase(_ sessionID: String) async throws -> ChatV1.EraseSessionContentResponse {
        try await client.eraseSessionContent(ChatV1.EraseSessionContentRequest(sessionID: sessionID))
    }

    static func requestID() -> String { "request-\(UInt64.random(in: .min ... .max))" }
}

extension ChatV1.SessionEvent {
    /// What is in its position; -1 without one.
    var sequence: Int64 { FeedPosition(position)?.sequence ?? -1 }
}

/// The status that a call ends with; nil if it succeeds.
func status(of call: () async throws -> Void) async -> RPCError? {
    do {
        try await call()
        return nil
    } catch {
        return error as? RPCError
    }
}

extension ResponseStream.AsyncIterator where R == ChatV1.SessionEvent {
    /// The events up to the one that says that all before has been sent; that one last.
    mutating func untilCaughtUp() async throws -> [ChatV1.SessionEvent] {
        var events: [ChatV1.SessionEvent] = []
        while let event = try await next() {
            events.append(event)
            if event.change == .caughtUp(true) { break }
        }
        return events
    }
}

extension ChatV1.SessionEvent {
    var question: ChatV1.Question? {
        if case .question(let question) = change { question } else { nil }
    }

    var session: ChatV1.Session? {
        if case .session(let session) = change { session } else { nil }
    }
}

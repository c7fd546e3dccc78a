import Contracts
import Foundation
import RPC
import Synchronization

/// Stands in for chat on the other end of a real socket: holds sessions in memory and counts what is asked of it.
final class ChatPeer: ChatV1.ChatServiceHandler {
    struct State {
        var logs: [String: (session: ChatV1.Session, questions: [ChatV1.Question])] = [:]
        /// Sessions whose erasure fails.
        var failing: Set<String> = []
        /// Sessions whose erasure does not end as long as they are in here.
        var held: Set<String> = []
        /// How often each session was asked to be erased.
        var erasures: [String: Int] = [:]
        /// What was said of each erasure.
        var erased: [String: ChatV1.EraseSessionContentResponse] = [:]
        /// By this chat's clock.
        var eraseTime = RunningRetention.start
        var openReads = 0
        /// What it declares.
        var region = "se-lund"
        /// What each session was told, in order.
        var deadlines: [String: [ChatV1.SetSessionDeadlineRequest]] = [:]
    }

    let state = Mutex(State())

    func add(
        _ id: String, organisationID: String = "org-north", state: ChatV1.SessionState, endTime: Date? = nil,
        questions: [ChatV1.Question] = []
    ) {
        var session = ChatV1.Session()
        session.sessionID = id
        session.organisationID = organisationID
        session.title = "Ask the harbour master"
        session.state = state
        session.endTime = endTime.map { GoogleProtobuf.Timestamp($0) }
        self.state.withLock { [session] in $0.logs[id] = (session, questions) }
    }

    func erasures(of id: String) -> Int { state.withLock { $0.erasures[id] ?? 0 } }

    /// What a session was told last.
    func deadline(of id: String) -> ChatV1.SetSessionDeadlineRequest? { state.withLock { $0.deadlines[id]?.last } }

    func setSessionDeadline(
        _ request: ChatV1.SetSessionDeadlineRequest, call: ServerCall
    ) async throws -> ChatV1.SetSessionDeadlineResponse {
        try state.withLock { state in
            state.deadlines[request.sessionID, default: []].append(request)
            guard !state.failing.contains(request.sessionID) else { throw RPCError(.internal, "internal error") }
            guard state.logs[request.sessionID] != nil else { throw Self.sessionNotFound }
            return .init(retentionDays: request.retentionDays, deleteTime: request.deleteTime)
        }
    }

    func readSessionLog(
        _ request: ChatV1.ReadSessionLogRequest, writer: ResponseWriter<ChatV1.SessionLogEntry>, call: ServerCall
    ) async throws {
        guard let log = state.withLock({ $0.logs[request.sessionID] }) else { throw Self.sessionNotFound }
        state.withLock { $0.openReads += 1 }
        defer { state.withLock { $0.openReads -= 1 } }
        var entry = ChatV1.SessionLogEntry()
        entry.entry = .session(log.session)
        try await writer.send(entry)
        for question in log.questions {
            entry.entry = .question(question)
            try await writer.send(entry)
        }
    }

    func eraseSessionContent(
        _ request: ChatV1.EraseSessionContentRequest, call: ServerCall
    ) async throws -> ChatV1.EraseSessionContentResponse {
        state.withLock { $0.erasures[request.sessionID, default: 0] += 1 }
        while state.withLock({ $0.held.contains(request.sessionID) }) { try await Task.sleep(for: .milliseconds(5)) }
        return try state.withLock { state in
            guard !state.failing.contains(request.sessionID) else { throw RPCError(.internal, "internal error") }
            var response = ChatV1.EraseSessionContentResponse()
            response.region = state.region
            response.countsKnown = true
            response.eraseTime = GoogleProtobuf.Timestamp(state.eraseTime)
            if var earlier = state.erased[request.sessionID] {
                earlier.content = .erasedEarlier
                return earlier
            }
            guard let log = state.logs.removeValue(forKey: request.sessionID) else {
                response.content = .neverHeld
                return response
            }
            response.content = .fileUnlinked
            response.filesUnlinked = 3
            response.bytesUnlinked = 40_960
            response.questions = UInt64(log.questions.count)
            response.answers = UInt64(log.questions.reduce(0) { $0 + $1.answers.count })
            response.events = response.questions + 1
            state.erased[request.sessionID] = response
            return response
        }
    }

    private static let sessionNotFound = RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND")
}

/// What retention never calls.
extension ChatPeer {
    private var uncalled: RPCError { RPCError(.unimplemented, "retention does not call this") }

    func createSession(_ request: ChatV1.CreateSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        throw uncalled
    }
    func getSession(_ request: ChatV1.GetSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        throw uncalled
    }
    func getController(_ request: ChatV1.GetControllerRequest, call: ServerCall) async throws -> ChatV1.Controller {
        throw uncalled
    }
    func listSessions(
        _ request: ChatV1.ListSessionsRequest, call: ServerCall
    ) async throws -> ChatV1.ListSessionsResponse { throw uncalled }
    func openSession(_ request: ChatV1.OpenSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        throw uncalled
    }
    func endSession(_ request: ChatV1.EndSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        throw uncalled
    }
    func joinSession(
        _ request: ChatV1.JoinSessionRequest, call: ServerCall
    ) async throws -> ChatV1.JoinSessionResponse { throw uncalled }
    func askQuestion(_ request: ChatV1.AskQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        throw uncalled
    }
    func publishQuestion(
        _ request: ChatV1.PublishQuestionRequest, call: ServerCall
    ) async throws -> ChatV1.Question { throw uncalled }
    func rejectQuestion(_ request: ChatV1.RejectQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        throw uncalled
    }
    func deleteQuestion(
        _ request: ChatV1.DeleteQuestionRequest, call: ServerCall
    ) async throws -> ChatV1.DeleteQuestionResponse { throw uncalled }
    func answerQuestion(_ request: ChatV1.AnswerQuestionRequest, call: ServerCall) async throws -> ChatV1.Question {
        throw uncalled
    }
    func listQuestions(
        _ request: ChatV1.ListQuestionsRequest, call: ServerCall
    ) async throws -> ChatV1.ListQuestionsResponse { throw uncalled }
    func watchSession(
        _ request: ChatV1.WatchSessionRequest, writer: ResponseWriter<ChatV1.SessionEvent>, call: ServerCall
    ) async throws { throw uncalled }
}

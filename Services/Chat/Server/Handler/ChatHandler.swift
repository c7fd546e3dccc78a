internal import ChatCore
internal import Contracts
internal import Privacy
internal import RPC
internal import ServiceKit

/// Chat's methods: each decodes, validates, calls and encodes.
struct ChatHandler: ChatV1.ChatServiceHandler {
    let directory: SessionDirectory
    let sessions: Sessions
    let controllers: Controllers
    let questions: Questions
    let following: Following
    let log: SessionLog
    /// Where chat keeps its data, as declared.
    let region: Region

    func createSession(_ request: ChatV1.CreateSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        let administrator = try call.administrator()
        let title = try FieldCheck.text(request.title, field: "title", min: 1, max: ChatLimits.titleLength)
        return try await Status.answering {
            try await sessions.create(title: title, organisationID: administrator.organisationID)
        }
    }

    func getSession(_ request: ChatV1.GetSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        return try await Status.answering { try await sessions.get(request.sessionID) }
    }

    func getController(_ request: ChatV1.GetControllerRequest, call: ServerCall) async throws -> ChatV1.Controller {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        return try await Status.answering {
            let session = try await directory.session(request.sessionID)
            return ChatV1.Controller(
                displayName: try await controllers.name(of: session.record.organisationID))
        }
    }

    func listSessions(
        _ request: ChatV1.ListSessionsRequest, call: ServerCall
    ) async throws -> ChatV1.ListSessionsResponse {
        let administrator = try call.administrator()
        let pageKey = try FieldCheck.pageToken(request.pageToken)
        return try await Status.answering {
            let page = try await sessions.list(
                organisationID: administrator.organisationID, pageSize: FieldCheck.pageSize(request.pageSize),
                after: pageKey.map { text throws(ChatError) in try SessionPageKey(text) })
            return ChatV1.ListSessionsResponse(
                sessions: page.sessions, nextPageToken: FieldCheck.nextPageToken(page.nextPage?.text))
        }
    }

    func openSession(_ request: ChatV1.OpenSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        let administrator = try call.administrator()
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        return try await Status.answering {
            try await sessions.open(request.sessionID, organisationID: administrator.organisationID)
        }
    }

    func endSession(_ request: ChatV1.EndSessionRequest, call: ServerCall) async throws -> ChatV1.Session {
        let administrator = try call.administrator()
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        return try await Status.answering {
            try await sessions.end(request.sessionID, organisationID: administrator.organisationID)
        }
    }

    func joinSession(
        _ request: ChatV1.JoinSessionRequest, call: ServerCall
    ) async throws -> ChatV1.JoinSessionResponse {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        let name = try FieldCheck.text(request.displayName, field: "display_name", max: ChatLimits.nameLength)
        return try await Status.answering {
            let joined = try await sessions.join(request.sessionID, name: name)
            return ChatV1.JoinSessionResponse(session: joined.session, participantToken: joined.token)
        }
    }
}

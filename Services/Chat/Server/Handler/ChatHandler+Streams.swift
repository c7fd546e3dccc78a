internal import ChatCore
internal import Contracts
internal import RPC
internal import ServiceKit

extension ChatHandler {
    func watchSession(
        _ request: ChatV1.WatchSessionRequest, writer: ResponseWriter<ChatV1.SessionEvent>, call: ServerCall
    ) async throws {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        let audience = try audience(request.audience)
        if audience == .moderators { _ = try call.administrator() }
        try await Status.answering {
            let session = try await directory.session(request.sessionID)
            let viewer = try viewer(of: session, call: call)
            // Another organisation's administrator learns no more than that of a session that is not there.
            if audience == .moderators, viewer != .moderator { throw ChatError.sessionNotFound }
            try await following.follow(
                session, as: audience, after: Int64(clamping: request.afterSequence), writer: writer)
        }
    }

    func readSessionLog(
        _ request: ChatV1.ReadSessionLogRequest, writer: ResponseWriter<ChatV1.SessionLogEntry>, call: ServerCall
    ) async throws {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        try await Status.answering { try await log.read(request.sessionID, writer: writer) }
    }

    func eraseSessionContent(
        _ request: ChatV1.EraseSessionContentRequest, call: ServerCall
    ) async throws -> ChatV1.EraseSessionContentResponse {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        return try await Status.answering {
            let erased = try await log.erase(request.sessionID)
            return ChatV1.EraseSessionContentResponse(
                questions: UInt64(erased.questions), answers: UInt64(erased.answers), events: UInt64(erased.events))
        }
    }

    private func audience(_ audience: ChatV1.Audience) throws(RPCError) -> Audience {
        switch audience {
        case .unspecified, .public: return .everyone
        case .moderators: return .moderators
        case .unrecognised: throw .invalid("audience", "is not an audience")
        }
    }
}

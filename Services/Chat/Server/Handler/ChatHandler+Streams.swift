internal import ChatCore
internal import Contracts
internal import Privacy
internal import RPC
internal import ServiceKit

extension ChatHandler {
    func watchSession(
        _ request: ChatV1.WatchSessionRequest, writer: ResponseWriter<ChatV1.SessionEvent>, call: ServerCall
    ) async throws {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        switch request.audience {
        case .unspecified, .public: break
        case .moderators: _ = try call.administrator()
        case .author: _ = try call.participant()
        case .unrecognised: throw RPCError.invalid("audience", "is not an audience")
        }
        let position = FeedPosition(request.position)
        guard position != nil || request.position.isEmpty else {
            throw RPCError.invalid("position", "is none that an event had; leave it out to begin anew")
        }
        try await Status.answering {
            let session = try await directory.session(request.sessionID)
            let viewer = try viewer(of: session, call: call)
            let audience = try audience(request.audience, for: viewer)
            try await call.whileAuthorised(.untilExpiry) {
                try await following.follow(
                    session, as: audience, by: call.principal, after: position, writer: writer)
            }
        }
    }

    func readSessionLog(
        _ request: ChatV1.ReadSessionLogRequest, writer: ResponseWriter<ChatV1.SessionLogEntry>, call: ServerCall
    ) async throws {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        try await Status.answering { try await log.read(request.sessionID, writer: writer) }
    }

    func setSessionDeadline(
        _ request: ChatV1.SetSessionDeadlineRequest, call: ServerCall
    ) async throws -> ChatV1.SetSessionDeadlineResponse {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        guard let days = Int(exactly: request.retentionDays), days <= RetentionRule.maximumDays else {
            throw RPCError.invalid("retention_days", "must be at most \(RetentionRule.maximumDays)")
        }
        let deleteTime = try request.deleteTime.map { time throws(RPCError) in
            try FieldCheck.time(time, field: "delete_time")
        }
        return try await Status.answering {
            let record = try await sessions.shorten(request.sessionID, days: days, deleteTime: deleteTime)
            return ChatV1.SetSessionDeadlineResponse(
                retentionDays: UInt32(clamping: record.retentionDays),
                deleteTime: record.deleteTime.map(Messages.timestamp))
        }
    }

    func eraseSessionContent(
        _ request: ChatV1.EraseSessionContentRequest, call: ServerCall
    ) async throws -> ChatV1.EraseSessionContentResponse {
        try FieldCheck.identifier(request.sessionID, field: "session_id")
        return try await Status.answering {
            Messages.erasure(try await log.erase(request.sessionID), in: region)
        }
    }

    /// What is asked for, if it is the viewer's to see. Another organisation's administrator learns no more than that of
    /// a session that is not there.
    private func audience(_ audience: ChatV1.Audience, for viewer: Viewer) throws(ChatError) -> Audience {
        switch (audience, viewer) {
        case (.moderators, .moderator): return .moderators
        case (.author, .author(let author)): return .author(author)
        case (.moderators, _), (.author, _): throw .sessionNotFound
        case (.unspecified, _), (.public, _), (.unrecognised, _): return .everyone
        }
    }
}

import Contracts
import Foundation
import Privacy
package import RPC
import RetentionCore
import StorageStatus

/// The connections to chat. Each takes a bounded number of calls, and a call may wait for others on its connection; so
/// what is long has one of its own, and a slow reader of an export holds up no erasure.
package struct ChatChannels: Sendable {
    package var calls: RPCChannel
    package var exports: RPCChannel
    package var erasures: RPCChannel

    package init(calls: RPCChannel, exports: RPCChannel, erasures: RPCChannel) {
        self.calls = calls
        self.exports = exports
        self.erasures = erasures
    }
}

/// What retention needs of chat.
package struct ChatNeighbour: Sendable {
    /// What chat knows of a session.
    enum SessionStage: Sendable, Equatable {
        /// Chat has no such session: nothing was ever written, or all is erased.
        case absent
        case draft
        case open
        case ended(at: Date)
    }

    private static let answerTime: Duration = .seconds(10)
    /// Unlinking takes no time; a chat that is busy may.
    private static let erasingTime: Duration = .seconds(600)

    private let calls: ChatV1.ChatServiceClient
    private let exports: ChatV1.ChatServiceClient
    private let erasures: ChatV1.ChatServiceClient

    package init(_ channels: ChatChannels) {
        calls = ChatV1.ChatServiceClient(channel: channels.calls)
        exports = ChatV1.ChatServiceClient(channel: channels.exports)
        erasures = ChatV1.ChatServiceClient(channel: channels.erasures)
    }

    /// - Throws: `RPCError` UNAVAILABLE naming chat.
    func stage(ofSession id: String) async throws -> SessionStage {
        var request = ChatV1.ReadSessionLogRequest()
        request.sessionID = id
        do {
            // The session comes first; the questions after it are not read.
            for try await entry in calls.readSessionLog(request, options: CallOptions(timeout: Self.answerTime)) {
                guard case .session(let session) = entry.entry else { throw RetentionError.chatUnusable }
                return try Self.stage(session)
            }
            throw RetentionError.chatUnusable
        } catch let error as RPCError where error.code == .notFound {
            return .absent
        } catch let error as RPCError {
            throw Self.failure(error)
        }
    }

    private static func stage(_ session: ChatV1.Session) throws -> SessionStage {
        switch session.state {
        case .draft: return .draft
        case .open: return .open
        case .ended:
            guard let endTime = session.endTime else { throw RetentionError.chatUnusable }
            return .ended(at: endTime.date)
        case .unspecified, .unrecognised: throw RetentionError.chatUnusable
        }
    }

    /// Tells chat until when a session may be kept. One that chat does not have needs no telling.
    ///
    /// - Throws: `RPCError` UNAVAILABLE naming chat.
    func setDeadline(of session: RetainedSession) async throws {
        var request = ChatV1.SetSessionDeadlineRequest()
        request.sessionID = session.id
        request.retentionDays = UInt32(clamping: session.retentionDays)
        request.deleteTime = session.deleteTime.map { GoogleProtobuf.Timestamp($0) }
        do {
            _ = try await calls.setSessionDeadline(request, options: CallOptions(timeout: Self.answerTime))
        } catch let error as RPCError where error.code == .notFound {
            return
        } catch let error as RPCError {
            throw Self.failure(error)
        }
    }

    /// Erases a session's content.
    ///
    /// - Returns: what chat saw of that, and where it says that it keeps its data.
    /// - Throws: `RPCError` UNAVAILABLE naming chat; DATA_LOSS CONTENT_MISSING if chat lists the session and can't find its
    ///   content.
    func eraseContent(ofSession id: String) async throws -> (ContentErasure, Region?) {
        var request = ChatV1.EraseSessionContentRequest()
        request.sessionID = id
        let response: ChatV1.EraseSessionContentResponse
        do {
            response = try await erasures.eraseSessionContent(request, options: CallOptions(timeout: Self.erasingTime))
        } catch let error as RPCError {
            throw Self.failure(error)
        }
        guard let content = ContentErasure(response) else { throw RetentionError.chatUnusable }
        return (content, try? Region(response.region))
    }

    /// The whole log: the session first, then every question in the order asked.
    func log(ofSession id: String, options: CallOptions) -> ResponseStream<ChatV1.SessionLogEntry> {
        var request = ChatV1.ReadSessionLogRequest()
        request.sessionID = id
        return exports.readSessionLog(request, options: options)
    }

    /// A caller of retention learns that chat failed, and may try again; not how, which is chat's own affair, except what
    /// it says of its store, such as that its disk is full.
    static func failure(_ error: RPCError) -> RPCError {
        switch error.code {
        case _ where error.isOfStore || error.reason == "CONTENT_MISSING": error
        case .unavailable, .cancelled, .deadlineExceeded: error
        default: RPCError(.unavailable, "chat could not do its part", reason: "NEIGHBOUR_FAILED")
        }
    }
}

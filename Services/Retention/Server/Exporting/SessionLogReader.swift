import Contracts
import RPC
import RetentionCore

/// Reads a session's log in its order: the session once, then its questions.
struct SessionLogReader {
    private var entries: ResponseStream<ChatV1.SessionLogEntry>.AsyncIterator

    init(_ stream: ResponseStream<ChatV1.SessionLogEntry>) {
        entries = stream.makeAsyncIterator()
    }

    mutating func session() async throws -> ChatV1.Session {
        guard case .session(let session) = try await next()?.entry else { throw RetentionError.chatUnusable }
        return session
    }

    /// Nil at the end of the log.
    mutating func nextQuestion() async throws -> ChatV1.Question? {
        guard let entry = try await next() else { return nil }
        guard case .question(let question) = entry.entry else { throw RetentionError.chatUnusable }
        return question
    }

    private mutating func next() async throws -> ChatV1.SessionLogEntry? {
        do {
            return try await entries.next()
        } catch let error as RPCError where error.code == .notFound {
            throw RetentionError.sessionNotFound
        } catch let error as RPCError {
            throw ChatNeighbour.failure(error)
        }
    }
}

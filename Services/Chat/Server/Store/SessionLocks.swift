internal import Synchronization

/// Lets one at a time change what both a session's file and its row say. Others wait in the order they came; sessions do
/// not wait for each other. Whoever holds one may not take it again.
final class SessionLocks: Sendable {
    private let waiting = Mutex<[String: [UnsafeContinuation<Void, Never>]]>([:])

    func hold<Value>(_ id: String, _ body: () async throws -> Value) async rethrows -> Value {
        await withUnsafeContinuation { continuation in
            let isFree = waiting.withLock { waiting in
                guard waiting[id] != nil else {
                    waiting[id] = []
                    return true
                }
                waiting[id]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
        defer { release(id) }
        return try await body()
    }

    private func release(_ id: String) {
        let next = waiting.withLock { waiting -> UnsafeContinuation<Void, Never>? in
            guard var line = waiting[id], !line.isEmpty else {
                waiting[id] = nil
                return nil
            }
            defer { waiting[id] = line }
            return line.removeFirst()
        }
        next?.resume()
    }
}

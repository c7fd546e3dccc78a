internal import Synchronization

/// Lets one caller do what several want at the same time; the others wait for its result.
final class SingleFlight<Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Value, any Error>?, Never>

    private let flights = Mutex<[String: [Waiter]]>([:])

    /// - Parameter work: Must end by itself within a bounded time. If the caller that does it is cancelled, one of those
    ///   that wait does it again.
    func value(for key: String, _ work: @Sendable () async throws -> Value) async throws -> Value {
        while true {
            let isFirst = flights.withLock { flights in
                guard flights[key] == nil else { return false }
                flights[key] = []
                return true
            }
            if isFirst { return try await lead(key, work) }
            if let result = await follow(key) { return try result.get() }
            try Task.checkCancellation()
        }
    }

    private func lead(_ key: String, _ work: @Sendable () async throws -> Value) async throws -> Value {
        let result: Result<Value, any Error>
        do {
            result = .success(try await work())
        } catch {
            result = .failure(error)
        }
        let waiters = flights.withLock { $0.removeValue(forKey: key) } ?? []
        // What failed because this caller gave up says nothing to the others.
        let isOwn = if case .failure = result { Task.isCancelled } else { false }
        for waiter in waiters { waiter.resume(returning: isOwn ? nil : result) }
        return try result.get()
    }

    /// - Returns: nil if the work is to be tried again.
    private func follow(_ key: String) async -> Result<Value, any Error>? {
        await withCheckedContinuation { waiter in
            let isOver = flights.withLock { flights in
                guard flights[key] != nil else { return true }
                flights[key]?.append(waiter)
                return false
            }
            if isOver { waiter.resume(returning: nil) }
        }
    }
}

internal import Synchronization

/// A question that takes a while to answer, and is asked once for all who want to know at the same time.
final class AskedOnce<Answer: Sendable>: Sendable {
    private let asking = Mutex<Task<Answer, Never>?>(nil)

    /// - Parameter ask: is carried on with for the others when who asked is cancelled.
    func value(_ ask: @escaping @Sendable () async -> Answer) async -> Answer {
        let task = asking.withLock { asking in
            if let asking { return asking }
            let task = Task {
                let answer = await ask()
                self.asking.withLock { $0 = nil }
                return answer
            }
            asking = task
            return task
        }
        return await task.value
    }
}

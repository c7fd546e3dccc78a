/// Counts the reads that run, so that closing can wait for them.
struct ReadGate: Sendable {
    private var isOpen = true
    private var active = 0
    private var waiting: [UnsafeContinuation<Void, Never>] = []

    /// - Returns: Whether a read may begin; it must then `leave`.
    mutating func enter() -> Bool {
        if isOpen { active += 1 }
        return isOpen
    }

    /// - Returns: Who waited for this read to end; the caller resumes them outside the lock.
    mutating func leave() -> [UnsafeContinuation<Void, Never>] {
        active -= 1
        guard active == 0 else { return [] }
        defer { waiting = [] }
        return waiting
    }

    /// Lets no more reads begin.
    /// - Returns: Whether none is left; if not, `leave` returns the continuation in the end.
    mutating func close(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        isOpen = false
        if active > 0 { waiting.append(continuation) }
        return active == 0
    }
}

/// Whether a call that failed is made again without its caller noticing.
struct RepeatRules: Sendable {
    /// Repeats left to a call whose connection died.
    private var left = 1

    /// - Parameters:
    ///   - idempotent: whether the server may run the call twice.
    ///   - waitsForReady: whether the caller is willing to wait for the server.
    mutating func mayRepeat(_ repeating: CallOutcome.Repeating, idempotent: Bool, waitsForReady: Bool) -> Bool {
        switch repeating {
        case .never: return false
        case .ifIdempotent where !idempotent: return false
        // The server never saw it: a call that waits for the server goes on waiting.
        case .always where waitsForReady: return true
        case .ifIdempotent, .always:
            left -= 1
            return left >= 0
        }
    }
}

/// Where a session is in its life. It only ever moves forward.
///
/// ```
/// draft ──open──▶ open ──end──▶ ended
///   └────────────end──────────────▲
/// ```
package enum SessionState: Int, Sendable, Hashable, CaseIterable {
    /// Being prepared; questions may already be asked.
    case draft = 1
    case open = 2
    /// For good: the time of its erasure is fixed.
    case ended = 3

    package var acceptsQuestions: Bool { self != .ended }

    /// - Returns: Whether anything changed; opening an open session changes nothing.
    /// - Throws: ``ChatError/sessionEnded`` for an ended one.
    package mutating func open() throws(ChatError) -> Bool {
        switch self {
        case .draft:
            self = .open
            return true
        case .open: return false
        case .ended: throw .sessionEnded
        }
    }

    /// - Returns: Whether anything changed; ending an ended session changes nothing.
    package mutating func end() -> Bool {
        guard self != .ended else { return false }
        self = .ended
        return true
    }
}

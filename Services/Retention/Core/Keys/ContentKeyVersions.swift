/// Which content keys a session has: one, and for the time of a change the next beside it.
///
///     settled(n) → begin → changing(n, n + 1) → adopt → retiring(n), n + 1 → retire → settled(n + 1)
///
/// Stored before and after each step, so that whatever a crash interrupts, no key that is needed is missing and none
/// that was replaced is forgotten.
package struct ContentKeyVersions: Sendable, Equatable {
    package enum Change: Int64, Sendable {
        /// One key.
        case none = 0
        /// The next one is there too: chat seals the session's content anew.
        case begun = 1
        /// The next one has become the current one; the one before is to be destroyed.
        case retiring = 2
    }

    /// A step that does not follow from the state.
    package struct OutOfOrder: Error, Sendable, Equatable {
        package init() {}
    }

    /// The version of the key in use, from 1.
    package private(set) var current: Int64
    package private(set) var change: Change

    package init(current: Int64 = 1, change: Change = .none) {
        self.current = current
        self.change = change
    }

    /// The version of the key that the content is being sealed with anew; nil when there is none.
    package var next: Int64? { change == .begun ? current + 1 : nil }

    /// The version that is still to be destroyed; nil when there is none.
    package var retiring: Int64? { change == .retiring ? current - 1 : nil }

    /// Every version whose key may be in a slot: the next one is made before its change is on record.
    package var mayExist: ClosedRange<Int64> { (retiring ?? current)...(current + 1) }

    /// Begins a change from the version that the caller has. Begun from it already: nothing changes.
    package mutating func begin(from version: Int64) throws(OutOfOrder) {
        guard version == current, change != .retiring else { throw OutOfOrder() }
        change = .begun
    }

    /// The content is sealed under the next key. Adopted already: nothing changes.
    package mutating func adopt(_ version: Int64) throws(OutOfOrder) {
        if version == current { return }
        guard version == next else { throw OutOfOrder() }
        current = version
        change = .retiring
    }

    /// The key before the current one is destroyed.
    package mutating func retire() {
        if change == .retiring { change = .none }
    }
}

/// What waits for one watcher: bounded, in order, and over once it is over.
///
/// ```
/// following ──offer beyond capacity──▶ over(.resume)
///     └──────────end(reason)─────────▶ over(reason)
/// ```
/// What waits is dropped at the end: after `.resume` the watcher gets it anew, after any other reason it must not see it.
package struct WatcherQueue<Change> {
    package let capacity: Int
    private var waiting: [Change] = []
    /// Why there will be no more; the first reason stands.
    package private(set) var ending: ChatError?

    package init(capacity: Int) {
        self.capacity = capacity
    }

    package var isEmpty: Bool { waiting.isEmpty }

    package mutating func offer(_ change: Change) {
        guard ending == nil else { return }
        guard waiting.count < capacity else {
            end(.resume)
            return
        }
        waiting.append(change)
    }

    package mutating func end(_ reason: ChatError) {
        guard ending == nil else { return }
        ending = reason
        waiting = []
    }

    /// All that waits, in order; empty when nothing does.
    /// - Throws: Why there will be no more.
    package mutating func takeAll() throws(ChatError) -> [Change] {
        if let ending { throw ending }
        defer { waiting.removeAll(keepingCapacity: false) }
        return waiting
    }
}

extension WatcherQueue: Sendable where Change: Sendable {}

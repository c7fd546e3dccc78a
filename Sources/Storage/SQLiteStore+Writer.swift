internal import GRDB
internal import Synchronization

extension SQLiteStore {
    /// What the writer has done since the store was opened.
    public struct Statistics: Sendable, Equatable {
        /// Transactions committed.
        public var commits = 0
        /// Bodies whose changes those transactions made durable.
        public var writes = 0
        /// The most bodies that shared one transaction.
        public var largestGroup = 0
        /// Times that the file was rewritten.
        public var rewritings = 0
    }

    public var statistics: Statistics {
        counters.withLock { $0 }
    }

    /// Writes that wait for their turn now; at most ``Configuration/writeQueueLimit``.
    public var waitingWrites: Int {
        queue.withLock { $0.waitingWrites }
    }

    /// Puts one turn on the writer's queue. A turn is one group or one piece of maintenance, so that others that use the
    /// writer's queue are never starved.
    func scheduleTurn() {
        // Keeps the store alive while there is work that it accepted.
        pool.asyncWriteWithoutTransaction { db in self.takeTurn(db) }
    }

    private func takeTurn(_ db: Database) {
        switch queue.withLock({ $0.next() }) {
        case .group(let writes): commit(writes, to: db)
        case .maintenance(let maintenance): maintenance.run(db)
        case nil: break
        }
        if queue.withLock({ $0.finishTurn() }) { scheduleTurn() }
    }

    private func commit(_ writes: [PendingWrite], to db: Database) {
        var group = WriteGroup(writes)
        let written = group.commit(to: db)
        if written > 0 {
            counters.withLock { counters in
                counters.commits += 1
                counters.writes += written
                counters.largestGroup = max(counters.largestGroup, written)
            }
        }
        group.answer()
    }

    /// Runs `body` on the writing connection between two groups, outside any transaction.
    func withWriter<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await withUnsafeThrowingContinuation { continuation in
            let work = WriteQueue.Maintenance(
                run: { db in continuation.resume(with: Result { try body(db) }) },
                refuse: { continuation.resume(throwing: $0) })
            do throws(StorageError) {
                if try queue.withLock({ queue throws(StorageError) in try queue.add(work) }) { scheduleTurn() }
            } catch {
                work.refuse(error)
            }
        }
    }
}

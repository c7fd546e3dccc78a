internal import GRDB

/// One transaction for the writes of several callers. Lives on the writer's queue only.
struct WriteGroup {
    private let writes: [PendingWrite]
    private var outcomes: [PendingWrite.Outcome] = []
    private var commitActions: [@Sendable () -> Void] = []
    private var failure: StorageError?

    init(_ writes: [PendingWrite]) {
        self.writes = writes
    }

    /// Runs the bodies, commits, and runs the actions of those that succeeded.
    ///
    /// A body that throws loses its own changes only. If the transaction itself fails, at BEGIN, at COMMIT or because
    /// SQLite rolled it back in the middle (disk full, input or output error), nothing of the group is written.
    /// - Returns: How many bodies' changes are durable.
    mutating func commit(to db: Database) -> Int {
        outcomes.reserveCapacity(writes.count)
        do {
            try execute("BEGIN IMMEDIATE TRANSACTION", in: db)
            for write in writes {
                try run(write, in: db)
            }
            let succeeded = outcomes.count { if case .succeeded = $0 { true } else { false } }
            try execute(succeeded > 0 ? "COMMIT TRANSACTION" : "ROLLBACK TRANSACTION", in: db)
            for action in commitActions { action() }
            return succeeded
        } catch {
            failure = .wrapping(error, while: "committing")
            // Nothing can be done about a rollback that fails: SQLite has then rolled back by itself.
            try? db.rollback()
            return 0
        }
    }

    /// Tells everyone how it ended; comes after `commit`, because nobody hears of success before COMMIT has returned.
    func answer() {
        for outcome in outcomes { outcome.answer(failure) }
        guard let failure else { return }
        for write in writes.dropFirst(outcomes.count) { write.refuse(failure) }
    }

    private mutating func run(_ write: PendingWrite, in db: Database) throws {
        // Alone, the body has the transaction itself to be rolled back.
        let needsSavepoint = writes.count > 1
        if needsSavepoint { try execute("SAVEPOINT write", in: db) }
        var transaction = WriteTransaction(db: db)
        let outcome = write.run(&transaction)
        outcomes.append(outcome)
        guard db.isInsideTransaction else { throw rolledBack(by: outcome) }
        switch outcome {
        case .succeeded:
            if needsSavepoint { try execute("RELEASE write", in: db) }
            commitActions.append(contentsOf: transaction.commitActions)
        case .failed where needsSavepoint:
            try execute("ROLLBACK TO write", in: db)
            try execute("RELEASE write", in: db)
        case .failed:
            break
        }
    }

    private func rolledBack(by outcome: PendingWrite.Outcome) -> StorageError {
        if case .failed(let error as StorageError, _) = outcome { return error }
        return StorageError(.other, "committing: the database rolled the transaction back")
    }

    private func execute(_ sql: String, in db: Database) throws {
        try db.cachedStatement(sql: sql).execute()
    }
}

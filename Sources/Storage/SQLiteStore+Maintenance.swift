internal import Dispatch
internal import GRDB
internal import Synchronization

extension SQLiteStore {
    /// Rewrites the file and empties its log (VACUUM, then checkpoint TRUNCATE): what was deleted before the call is in
    /// none of the database's files after it. `secure_delete` alone leaves bytes in gaps of live pages and in the log.
    ///
    /// Takes memory of about the file's size, because the rewritten copy is built there and not in a temporary file.
    /// Writes wait during VACUUM; reads don't. Those who call while a rewriting runs share the next one.
    /// - Throws: ``StorageError``: `busy` if readers kept the log from being emptied for all attempts, `full`, `closed`.
    public func purge() async throws {
        let purge = purges.withLock { purges in
            if let next = purges.next { return next }
            let running = purges.running
            let next = Task {
                _ = await running?.result
                // From here on it is too late to join: what is deleted now might be missed.
                self.purges.withLock { $0 = PurgeRounds(running: $0.next, next: nil) }
                try await self.rewrite()
            }
            purges.next = next
            return next
        }
        try await purge.value
    }

    private func rewrite() async throws {
        try await maintain("rewriting the database") { db in try db.execute(sql: "VACUUM") }
        counters.withLock { $0.rewritings += 1 }
        try await emptyLog()
    }

    /// Copies the log into the file and cuts it to nothing.
    /// - Throws: ``StorageError``: `busy` if readers kept the log from being emptied for all attempts, `full`, `closed`.
    public func emptyLog() async throws {
        for _ in 0..<max(configuration.truncationAttempts, 1) {
            if try await truncateLog() { return }
        }
        throw StorageError(.busy, "emptying the log: readers are in the way")
    }

    /// Bytes of the database file.
    public var size: Int { DatabaseFiles.size(of: pool.path) }

    /// The rewritings that run and wait: one of each at most.
    struct PurgeRounds: Sendable {
        var running: Task<Void, any Error>?
        var next: Task<Void, any Error>?
    }

    /// Finishes what was accepted, refuses what comes, then closes the file and lets go of its lock. Waits for reads that
    /// run. A second call waits for the first.
    public func close() async {
        queue.withLock { $0.beginClosing() }
        await withUnsafeContinuation { continuation in
            if readers.withLock({ $0.close(continuation) }) { continuation.resume() }
        }
        // Each pass waits behind the turn that is scheduled. Nothing is accepted any more, so the passes are bounded by
        // the queue's length.
        while queue.withLock({ !$0.isIdle }) {
            await withUnsafeContinuation { continuation in
                pool.asyncWriteWithoutTransaction { _ in continuation.resume() }
            }
        }
        await withUnsafeContinuation { continuation in
            closing.async {
                self.closeFiles()
                continuation.resume()
            }
        }
    }

    /// Runs on the `closing` queue, alone and with no read or write under way.
    private func closeFiles() {
        guard queue.withLock({ $0.phase }) != .closed else { return }
        // Readers first: whoever closes last checkpoints, and that must be the writer.
        pool.releaseMemory()
        do {
            try pool.close()
            queue.withLock { $0.finishClosing() }
            releaseLock()
        } catch {
            // The file is still open, so its lock stays; both go with the store itself.
        }
    }

    /// - Returns: false if a reader was in the way for the whole busy timeout.
    private func truncateLog() async throws -> Bool {
        let logPath = pool.path + "-wal"
        return try await maintain("emptying the log") { db in
            do {
                try db.checkpoint(.truncate)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                return false
            }
            guard DatabaseFiles.size(of: logPath) == 0 else {
                throw StorageError(.other, "emptying the log: it is not empty")
            }
            return true
        }
    }

    private func maintain<T: Sendable>(
        _ activity: String, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws -> T {
        do {
            return try await withWriter(body)
        } catch {
            throw StorageError.wrapping(error, while: activity)
        }
    }
}

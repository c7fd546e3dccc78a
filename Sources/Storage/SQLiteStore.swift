internal import Dispatch
public import GRDB
internal import Synchronization

/// One SQLite file: one connection writes (group commit), readers are query-only.
///
/// Writes are durable when `write` returns (WAL, synchronous=FULL). The cost of the disk's confirmation is shared by all
/// that wait at the same time. All writes, checkpoints and VACUUM go through the one writing connection, on its own
/// dispatch queue: two connections that checkpoint can corrupt a file (SQLite before 3.51.3).
public final class SQLiteStore: Sendable {
    let pool: DatabasePool
    let configuration: Configuration
    let queue: Mutex<WriteQueue>
    let readers = Mutex(ReadGate())
    let counters = Mutex(Statistics())
    let purges = Mutex(PurgeRounds())
    let closing = DispatchQueue(label: "samtal.storage.closing")
    private let lock: Mutex<ProcessLock?>
    private let nextTicket = Atomic<UInt64>(0)

    /// Opens or creates the file (mode 0600; its folder is created with mode 0700) and brings its schema up to date.
    /// - Parameter migrator: All migrations there ever were. Foreign keys in the schema must be immediate: a deferred one
    ///   is checked at COMMIT, which several callers share.
    /// - Throws: ``StorageError``: `locked` if the file is open elsewhere, `newerSchema` if it holds migrations that the
    ///   migrator does not know, `corrupt` if it is no database.
    public init(path: String, migrator: DatabaseMigrator, configuration: Configuration = .init()) throws {
        self.configuration = configuration
        queue = Mutex(WriteQueue(writeLimit: configuration.writeQueueLimit, groupLimit: configuration.groupLimit))
        try DatabaseFiles.createFolder(of: path)
        lock = Mutex(try ProcessLock(path: path + ".lock"))
        try DatabaseFiles.prepare(path: path)
        do {
            pool = try DatabasePool(path: path, configuration: configuration.databaseConfiguration)
            try pool.writeWithoutTransaction { db in
                // The pool has set NORMAL, which may lose acknowledged commits when the power fails.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                guard try !migrator.hasBeenSuperseded(db) else {
                    throw StorageError(.newerSchema, "the database was written by a newer version")
                }
            }
            try migrator.migrate(pool)
        } catch {
            throw StorageError.wrapping(error, while: "opening the database")
        }
    }

    /// Runs in a transaction shared with whoever waits at the same time; returns after COMMIT. A body that throws rolls
    /// back its own changes alone, and its error is thrown here. Bodies run one after the other, in the order of the calls.
    ///
    /// A task that is cancelled before its body began gets `CancellationError` and has written nothing; after that the
    /// write completes.
    /// - Parameters:
    ///   - account: On whose account it waits: when the queue is three quarters full, one account may have an eighth
    ///     of it at most.
    ///   - purpose: For `erasing` the body may run a second time, after the first was rolled back.
    /// - Throws: ``StorageError``: `overloaded` if the queue is full, `closed`, or why the commit failed. What the body
    ///   throws, with errors of the database other than violated constraints as ``StorageError``.
    public func write<T: Sendable>(
        account: Int64? = nil, for purpose: Purpose = .upkeep,
        _ body: @escaping @Sendable (inout WriteTransaction) throws -> T
    ) async throws -> T {
        guard let reserve = configuration.reserve else { return try await submit(account, body) }
        switch purpose {
        case .upkeep: return try await submit(account, body)
        case .keeping:
            try reserve.admit()
            return try await submit(account, body)
        case .erasing: return try await reserve.erasing { try await submit(account, body) }
        }
    }

    private func submit<T: Sendable>(
        _ account: Int64?, _ body: @escaping @Sendable (inout WriteTransaction) throws -> T
    ) async throws -> T {
        let ticket = nextTicket.wrappingAdd(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            // Unsafe, because checking costs an allocation for each write; the writer answers each exactly once.
            try await withUnsafeThrowingContinuation { continuation in
                enqueue(PendingWrite(ticket: ticket, account: account, body, continuation))
                // The handler may have run before there was anything to take back.
                if Task.isCancelled { takeBack(ticket) }
            }
        } onCancel: {
            takeBack(ticket)
        }
    }

    /// Reads a consistent snapshot of what is committed, on one of the query-only connections.
    /// - Throws: ``StorageError``, or what the body throws.
    public func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        guard readers.withLock({ $0.enter() }) else { throw StorageError.closed }
        defer { readers.withLock { $0.leave() }.forEach { $0.resume() } }
        do {
            return try await pool.read(body)
        } catch {
            throw StorageError.translating(error, while: "reading")
        }
    }

    private func enqueue(_ write: PendingWrite) {
        do throws(StorageError) {
            if try queue.withLock({ queue throws(StorageError) in try queue.add(write) }) { scheduleTurn() }
        } catch {
            write.refuse(error)
        }
    }

    private func takeBack(_ ticket: UInt64) {
        queue.withLock { $0.remove(ticket: ticket) }?.refuse(CancellationError())
    }

    /// Lets go of the process lock; the last step of closing.
    func releaseLock() {
        lock.withLock { $0 = nil }
    }
}

extension PendingWrite {
    fileprivate init<T: Sendable>(
        ticket: UInt64, account: Int64?, _ body: @escaping @Sendable (inout WriteTransaction) throws -> T,
        _ continuation: UnsafeContinuation<T, any Error>
    ) {
        self.ticket = ticket
        self.account = account
        run = { transaction in
            do {
                let value = try body(&transaction)
                return .succeeded { error in
                    if let error { continuation.resume(throwing: error) } else { continuation.resume(returning: value) }
                }
            } catch {
                let cause = StorageError.translating(error, while: "writing")
                return .failed(cause) { _ in continuation.resume(throwing: cause) }
            }
        }
        refuse = { continuation.resume(throwing: $0) }
    }
}

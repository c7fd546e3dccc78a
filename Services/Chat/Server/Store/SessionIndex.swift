internal import ChatCore
internal import Crypto
internal import Foundation
internal import GRDB
internal import Privacy
internal import Storage

/// The rows of `index.sqlite`, and all SQL that runs in it.
struct SessionIndex: Sendable {
    /// A session's row.
    struct Entry: Sendable {
        let session: StoredSession
        let phase: IndexSchema.Phase

        init(_ row: Row) throws {
            session = try StoredSession(row)
            guard let phase = IndexSchema.Phase(rawValue: row[StoredSession.columnCount]) else {
                throw ChatError.damaged
            }
            self.phase = phase
        }
    }

    private static let columns = "\(StoredSession.columns), phase"

    let database: SQLiteStore

    init(path: String, reserve: DiskReserve?) throws {
        var configuration = SQLiteStore.Configuration()
        configuration.reserve = reserve
        database = try SQLiteStore(path: path, migrator: IndexSchema.migrator, configuration: configuration)
    }

    func entry(_ id: String) async throws -> Entry? {
        try await database.read { db in
            let statement = try db.cachedStatement(sql: "SELECT \(Self.columns) FROM session WHERE id = ?")
            return try Row.fetchOne(statement, arguments: [id]).map(Entry.init)
        }
    }

    /// Some of the sessions that are there.
    /// - Parameter rest: of the statement, after `AND`.
    private func sessions(_ rest: String, _ arguments: StatementArguments) async throws -> [StoredSession] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(StoredSession.columns) FROM session
                    WHERE phase <= \(IndexSchema.Phase.changing.rawValue) AND \(rest)
                    """)
            return try Row.fetchAll(statement, arguments: arguments).map(StoredSession.init)
        }
    }

    func sessions(
        of organisationID: String, at now: Date, after page: SessionPageKey?, limit: Int
    ) async throws -> [StoredSession] {
        try await sessions(
            """
            organisation = ? AND (create_time, id) < (?, ?) AND (delete_time IS NULL OR delete_time > ?)
            ORDER BY create_time DESC, id DESC LIMIT ?
            """,
            [organisationID, page?.createTime.milliseconds ?? .max, page?.id ?? "", now.milliseconds, limit])
    }

    func sessions(after id: String?, limit: Int) async throws -> [StoredSession] {
        try await sessions("id > ? ORDER BY id LIMIT ?", [id ?? "", limit])
    }

    func notEnded(createdBy time: Date, limit: Int) async throws -> [StoredSession] {
        try await sessions(
            "state <> \(SessionState.ended.rawValue) AND create_time <= ? ORDER BY create_time LIMIT ?",
            [time.milliseconds, limit])
    }

    func notReported(after id: String?, limit: Int) async throws -> [StoredSession] {
        try await sessions(
            "state = \(SessionState.ended.rawValue) AND end_reported = 0 AND id > ? ORDER BY id LIMIT ?",
            [id ?? "", limit])
    }

    func keysToChange(deletedBy time: Date, after id: String?, limit: Int) async throws -> [StoredSession] {
        try await sessions(
            // The first condition is the index's, word for word.
            """
            (has_old_key = 1 OR deleted_since IS NOT NULL) AND (has_old_key = 1 OR deleted_since <= ?)
            AND id > ? ORDER BY id LIMIT ?
            """,
            [time.milliseconds, id ?? "", limit])
    }

    func overdue(since time: Date, limit: Int) async throws -> [String] {
        try await sessions(
            "delete_time <= ? AND end_reported = 1 ORDER BY delete_time LIMIT ?", [time.milliseconds, limit]
        )
        .map(\.id)
    }

    /// Every session, whatever its phase.
    func phases() async throws -> [(id: String, organisation: String, phase: IndexSchema.Phase)] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT id, organisation, phase FROM session").map { row in
                (row[0], row[1], IndexSchema.Phase(rawValue: row[2]) ?? .changing)
            }
        }
    }

    func unsettled(after id: String, limit: Int) async throws -> [String] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT id FROM session WHERE phase <> 0 AND id > ? ORDER BY id LIMIT ?")
            return try String.fetchAll(statement, arguments: [id, limit])
        }
    }
}

// Writing.
extension SessionIndex {
    private func execute(_ sql: String, _ arguments: StatementArguments) async throws {
        try await database.write { transaction in
            try transaction.db.cachedStatement(sql: sql).execute(arguments: arguments)
        }
    }

    func add(_ session: StoredSession, _ phase: IndexSchema.Phase) async throws {
        try await execute(
            "INSERT INTO session (phase, end_reported, \(StoredSession.columns)) VALUES (?, 0, \(StoredSession.marks))",
            StatementArguments([phase.rawValue] + session.values))
    }

    func note(_ id: String, _ phase: IndexSchema.Phase) async throws {
        try await execute("UPDATE session SET phase = ? WHERE id = ?", [phase.rawValue, id])
    }

    /// The row says what the file says.
    func settle(_ session: StoredSession) async throws {
        try await execute(
            "UPDATE session SET phase = 0, (\(StoredSession.columns)) = (\(StoredSession.marks)) WHERE id = ?",
            StatementArguments(session.values + [session.id]))
    }

    func noteEndReported(_ id: String) async throws {
        try await execute("UPDATE session SET end_reported = 1 WHERE id = ?", [id])
    }

    func remove(_ id: String) async throws {
        try await execute("DELETE FROM session WHERE id = ?", [id])
    }
}

// Erasures.
extension SessionIndex {
    private static func digest(_ id: String) -> Data { Data(SHA256.hash(data: Data(id.utf8))) }

    func erasure(of id: String) async throws -> ErasureEvidence? {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT questions, answers, events, files, bytes, erase_time FROM erasure WHERE session = ?")
            return try Row.fetchOne(statement, arguments: [Self.digest(id)]).map { row in
                let questions: Int? = row[0]
                return ErasureEvidence(
                    content: .erasedEarlier,
                    counts: questions.map { ContentCounts(questions: $0, answers: row[1], events: row[2]) },
                    files: row[3], bytes: row[4], time: Date(milliseconds: row[5]))
            }
        }
    }

    /// The session's content is about to be taken away, or is: from now on there is no session.
    /// - Parameter isOver: Whether it is, and the row can go.
    func record(_ evidence: ErasureEvidence, of id: String, isOver: Bool) async throws {
        try await database.write(for: .erasing) { transaction in
            let db = transaction.db
            try db.cachedStatement(
                sql: """
                    INSERT INTO erasure (session, questions, answers, events, files, bytes, erase_time)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (session) DO UPDATE SET questions = coalesce(excluded.questions, questions),
                        answers = coalesce(excluded.answers, answers), events = coalesce(excluded.events, events),
                        files = max(files, excluded.files), bytes = max(bytes, excluded.bytes),
                        erase_time = excluded.erase_time
                    """
            ).execute(arguments: [
                Self.digest(id), evidence.counts?.questions, evidence.counts?.answers, evidence.counts?.events,
                evidence.files, evidence.bytes, evidence.time.milliseconds,
            ])
            let change =
                isOver ? "DELETE FROM session" : "UPDATE session SET phase = \(IndexSchema.Phase.erasing.rawValue)"
            try db.cachedStatement(sql: "\(change) WHERE id = ?").execute(arguments: [id])
        }
    }
}

// The clock.
extension SessionIndex {
    func clockMark() async throws -> ClockMark? {
        try await database.read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT mark, boot, uptime FROM clock WHERE mark > 0") else {
                return nil
            }
            return ClockMark(time: Date(milliseconds: row[0]), boot: row[1], uptime: row[2])
        }
    }

    func storeClockMark(_ mark: ClockMark) async throws {
        try await execute(
            "UPDATE clock SET mark = ?, boot = ?, uptime = ?", [mark.time.milliseconds, mark.boot, mark.uptime])
    }
}

// The feeds.
extension SessionIndex {
    func feedEpoch() async throws -> FeedEpoch {
        let text = try await database.read { db in try String.fetchOne(db, sql: "SELECT epoch FROM feed") }
        guard let epoch = FeedEpoch(text ?? "") else { throw StorageError(.corrupt, "the index holds no feed epoch") }
        return epoch
    }

    /// From now on every position issued before is of another epoch.
    func drawFeedEpoch() async throws {
        try await execute("UPDATE feed SET epoch = ?", [FeedEpoch.random().text])
    }
}

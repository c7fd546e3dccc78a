internal import ChatCore
internal import Crypto
internal import Foundation
internal import GRDB
internal import Storage

/// How many rows an erasure took.
struct ErasedRows: Sendable, Hashable {
    var questions = 0
    var answers = 0
    var events = 0
}

extension ChatStore {
    /// Deletes every row of a session in one transaction, and returns when no byte of them is left in the files.
    ///
    /// Called again it cleans the files again and returns the same counts, whether it was cut short by a crash or a
    /// full disk, or its answer got lost. An unknown session has no rows.
    func erase(_ sessionID: String, onCommit: @escaping @Sendable () -> Void) async throws -> ErasedRows {
        let mark = Data(SHA256.hash(data: Data(sessionID.utf8)))
        let erased = try await database.write { [counters] transaction -> ErasedRows? in
            let db = transaction.db
            transaction.onCommit(onCommit)
            guard let session = try ChatStore.session(sessionID, in: db) else {
                return try ChatStore.earlierErasure(mark, in: db)
            }
            counters.forget(session.row)
            let erased = try ChatStore.deleteRows(of: session.row, in: db)
            try db.cachedStatement(sql: "INSERT INTO erasure (session, questions, answers, events) VALUES (?, ?, ?, ?)")
                .execute(arguments: [mark, erased.questions, erased.answers, erased.events])
            return erased
        }
        guard let erased else { return ErasedRows() }
        try await database.purge()
        return erased
    }

    /// Sessions whose time of erasure was `time` or before, and whose end retention knows.
    func overdue(since time: Date, limit: Int) async throws -> [String] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id FROM session WHERE delete_time <= ? AND end_reported = 1 ORDER BY delete_time LIMIT ?
                    """)
            return try String.fetchAll(statement, arguments: [time.milliseconds, limit])
        }
    }

    private static func earlierErasure(_ mark: Data, in db: Database) throws -> ErasedRows? {
        let statement = try db.cachedStatement(
            sql: "SELECT questions, answers, events FROM erasure WHERE session = ?")
        return try Row.fetchOne(statement, arguments: [mark]).map { row in
            ErasedRows(questions: row[0], answers: row[1], events: row[2])
        }
    }

    private static func deleteRows(of session: Int64, in db: Database) throws -> ErasedRows {
        var erased = ErasedRows()
        try db.execute(sql: "DELETE FROM answer WHERE session = ?", arguments: [session])
        erased.answers = db.changesCount
        try db.execute(
            sql: "DELETE FROM question WHERE place BETWEEN ? AND ?",
            arguments: [Place.first(in: session), Place.last(in: session)])
        erased.questions = db.changesCount
        try db.execute(sql: "DELETE FROM event WHERE session = ?", arguments: [session])
        erased.events = db.changesCount
        try db.execute(sql: "DELETE FROM session WHERE row = ?", arguments: [session])
        return erased
    }
}

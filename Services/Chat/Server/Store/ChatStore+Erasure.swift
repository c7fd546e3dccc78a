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
    /// Cut short between the two, by a crash or a full disk, it takes up where it stopped when it is called again, and
    /// returns the same counts. An unknown session has no rows.
    func erase(_ sessionID: String, onCommit: @escaping @Sendable () -> Void) async throws -> ErasedRows {
        let mark = Data(SHA256.hash(data: Data(sessionID.utf8)))
        let erased = try await database.write { [counters] transaction -> ErasedRows? in
            let db = transaction.db
            transaction.onCommit(onCommit)
            guard let session = try ChatStore.session(sessionID, in: db) else {
                return try ChatStore.unfinishedErasure(mark, in: db)
            }
            counters.forget(session.row)
            let erased = try ChatStore.deleteRows(of: session.row, in: db)
            try db.cachedStatement(sql: "INSERT INTO erasure (session, questions, answers, events) VALUES (?, ?, ?, ?)")
                .execute(arguments: [mark, erased.questions, erased.answers, erased.events])
            return erased
        }
        guard let erased else { return ErasedRows() }
        try await database.purge()
        try await database.write { transaction in
            try transaction.db.cachedStatement(sql: "DELETE FROM erasure WHERE session = ?").execute(arguments: [mark])
        }
        return erased
    }

    private static func unfinishedErasure(_ mark: Data, in db: Database) throws -> ErasedRows? {
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

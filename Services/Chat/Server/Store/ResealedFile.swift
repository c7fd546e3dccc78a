internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

/// A session's file as it is written anew under another content key, beside the one in use.
///
/// `@unchecked`: used by one thread at a time, whichever runs the next step of the change of keys.
final class ResealedFile: @unchecked Sendable {
    typealias Seal = @Sendable ([UInt8], SessionCipher.Field) throws -> [UInt8]

    /// Rows that are copied at once: they are held in memory, and writes that share the thread wait for them.
    static let rowsAtOnce = 200

    /// What has been copied: the last number of each kind.
    struct Progress: Sendable {
        var question: Int64 = 0
        var answer: Int64 = 0
        var event: Int64 = 0
    }

    /// Rows as they are stored.
    struct Rows: Sendable {
        struct Question: Sendable {
            let number: Int64
            let sequence: Int64
            let id: String
            let author: [UInt8]
            let request: [UInt8]
            let askTime: Int64
            let authorName: [UInt8]
            let text: [UInt8]
        }

        struct Answer: Sendable {
            let number: Int64
            let question: Int64
            let id: String
            let request: [UInt8]
            let answerTime: Int64
            let hostName: [UInt8]
            let text: [UInt8]
        }

        struct Event: Sendable {
            let sequence: Int64
            let question: Int64?
            let state: Int?
        }

        var questions: [Question] = []
        var answers: [Answer] = []
        var events: [Event] = []

        var isEmpty: Bool { questions.isEmpty && answers.isEmpty && events.isEmpty }
        /// Whether there may be many more.
        var isFull: Bool {
            [questions.count, answers.count, events.count].contains(ResealedFile.rowsAtOnce)
        }
    }

    private let file: SQLiteFile
    private let seal: Seal
    private(set) var progress = Progress()

    init(creating path: String, of session: StoredSession, by seal: @escaping Seal) throws {
        self.seal = seal
        file = try SQLiteFile(creating: path) { db in
            try SessionSchema.create(session, in: db)
            try db.execute(sql: "DELETE FROM event")
        }
    }

    /// Seals rows anew and appends them.
    func append(_ rows: Rows) throws {
        guard !rows.isEmpty else { return }
        try file.use { db in
            try db.inTransaction(.immediate) {
                for row in rows.questions { try append(row, to: db) }
                for row in rows.answers { try append(row, to: db) }
                for row in rows.events {
                    try db.cachedStatement(sql: "INSERT INTO event (sequence, question, state) VALUES (?, ?, ?)")
                        .execute(arguments: [row.sequence, row.question, row.state])
                }
                return .commit
            }
        }
        progress.question = rows.questions.last?.number ?? progress.question
        progress.answer = rows.answers.last?.number ?? progress.answer
        progress.event = rows.events.last?.sequence ?? progress.event
    }

    private func append(_ row: Rows.Question, to db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO question (number, sequence, id, author, request, ask_time, author_name, text)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            row.number, row.sequence, row.id, Data(row.author), Data(row.request), row.askTime,
            try sealed(row.authorName, .authorName(questionID: row.id)).column,
            Data(try sealed(row.text, .questionText(questionID: row.id))),
        ])
    }

    private func append(_ row: Rows.Answer, to db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO answer (number, question, id, request, answer_time, host_name, text)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            row.number, row.question, row.id, Data(row.request), row.answerTime,
            try sealed(row.hostName, .hostName(answerID: row.id)).column,
            Data(try sealed(row.text, .answerText(answerID: row.id))),
        ])
    }

    /// What is deleted, or was not given, is stored as nothing.
    private func sealed(_ bytes: [UInt8], _ field: SessionCipher.Field) throws -> [UInt8] {
        bytes.isEmpty ? [] : try seal(bytes, field)
    }

    /// Completes the file: everything is copied, and the session's own row is written. It is durable when this returns, and
    /// closed.
    /// - Parameter deleted: Questions that were deleted since they were copied, with their answers.
    func complete(_ session: StoredSession, deleted: [(question: Int64, answers: [Int64])]) throws {
        try file.use { db in
            try db.inTransaction(.immediate) {
                for (question, answers) in deleted {
                    try db.execute(
                        sql: "UPDATE question SET author_name = NULL, text = x'' WHERE number = ?",
                        arguments: [question])
                    for answer in answers {
                        try db.execute(
                            sql: "UPDATE answer SET host_name = NULL, text = x'' WHERE number = ?", arguments: [answer])
                    }
                }
                try db.execute(
                    sql: "UPDATE session SET (\(StoredSession.columns)) = (\(StoredSession.marks))",
                    arguments: StatementArguments(session.values))
                return .commit
            }
            try db.checkpoint(.truncate)
        }
        file.close()
    }

    func close() { file.close() }
}

extension SessionContent {
    /// The rows that come after what has been copied.
    func rows(after progress: ResealedFile.Progress) throws -> ResealedFile.Rows {
        let limit = ResealedFile.rowsAtOnce
        var rows = ResealedFile.Rows()
        rows.questions = try Row.fetchAll(
            db,
            sql: """
                SELECT number, sequence, id, author, request, ask_time, author_name, text FROM question
                WHERE number > ? ORDER BY number LIMIT ?
                """, arguments: [progress.question, limit]
        ).map { row in
            ResealedFile.Rows.Question(
                number: row[0], sequence: row[1], id: row[2], author: row.bytes(3), request: row.bytes(4),
                askTime: row[5], authorName: row.bytes(6), text: row.bytes(7))
        }
        rows.answers = try Row.fetchAll(
            db,
            sql: """
                SELECT number, question, id, request, answer_time, host_name, text FROM answer
                WHERE number > ? ORDER BY number LIMIT ?
                """, arguments: [progress.answer, limit]
        ).map { row in
            ResealedFile.Rows.Answer(
                number: row[0], question: row[1], id: row[2], request: row.bytes(3), answerTime: row[4],
                hostName: row.bytes(5), text: row.bytes(6))
        }
        rows.events = try Row.fetchAll(
            db, sql: "SELECT sequence, question, state FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?",
            arguments: [progress.event, limit]
        ).map { row in ResealedFile.Rows.Event(sequence: row[0], question: row[1], state: row[2]) }
        return rows
    }

    /// Copies what is left, so that the other file says all that this one does, and completes it.
    /// - Parameter begun: The last sequence when the copying began.
    /// - Returns: The session as it is in the other file.
    func complete(
        _ other: ResealedFile, to version: Int, by seal: ResealedFile.Seal, begun: Int64
    ) throws -> StoredSession {
        while true {
            let rows = try rows(after: other.progress)
            if rows.isEmpty { break }
            try other.append(rows)
        }
        let deleted = outline.deleted(after: begun)
        var session = outline.session
        session.sealedTitle = try seal(session.sealedTitle, .title)
        session.keyVersion = version
        session.hasOldKey = true
        // What was deleted since is in gaps of the new file: that is for the next change of keys.
        if deleted.isEmpty { session.deletedSince = nil }
        try other.complete(session, deleted: deleted.map { ($0, outline.answers(to: $0)) })
        return session
    }
}

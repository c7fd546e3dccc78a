internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

/// The tables of one session's file. Rows are appended under keys that count up, and nothing else is indexed: what would
/// be looked for by a random key is in the session's outline (``SessionOutline``).
enum SessionSchema {
    /// Of the file. A file of a later one is not opened.
    static let format = 1

    /// Asking stores one row, which is its own first event: `question.sequence` and `event.sequence` together count
    /// without gaps. A question's state is what its last event says; without one it is pending.
    static let tables = """
        CREATE TABLE session (
            format INTEGER NOT NULL,
            \(StoredSession.columnDefinitions)
        ) STRICT;
        CREATE TABLE question (
            number INTEGER PRIMARY KEY,
            sequence INTEGER NOT NULL,
            id TEXT NOT NULL,
            author BLOB NOT NULL,           -- digest
            request BLOB NOT NULL,          -- digest
            ask_time INTEGER NOT NULL,
            author_name BLOB,               -- sealed; NULL: anonymous
            text BLOB NOT NULL              -- sealed
        ) STRICT;
        CREATE TABLE answer (
            number INTEGER PRIMARY KEY,
            question INTEGER NOT NULL,      -- number
            id TEXT NOT NULL,
            request BLOB NOT NULL,          -- digest
            answer_time INTEGER NOT NULL,
            host_name BLOB,                 -- sealed; NULL: not given
            text BLOB NOT NULL              -- sealed
        ) STRICT;
        CREATE TABLE event (
            sequence INTEGER PRIMARY KEY,
            question INTEGER,               -- number; NULL: the session itself changed
            state INTEGER                   -- of the question
        ) STRICT;
        """

    /// Stores a new session and the event of its creation.
    static func create(_ session: StoredSession, in db: Database) throws {
        try db.execute(sql: tables)
        try db.execute(
            sql: "INSERT INTO session (format, \(StoredSession.columns)) VALUES (?, \(StoredSession.marks))",
            arguments: StatementArguments([format] + session.values))
        try db.execute(sql: "INSERT INTO event (sequence) VALUES (1)")
    }

    /// - Throws: `StorageError`: `newerSchema`; `corrupt` if the file is not this session's.
    static func session(_ id: String, in db: Database) throws -> StoredSession {
        let row = try Row.fetchOne(db, sql: "SELECT \(StoredSession.columns), format FROM session")
        guard let row else { throw StorageError(.corrupt, "the session's file holds no session") }
        guard (row[StoredSession.columnCount] as Int) <= format else {
            throw StorageError(.newerSchema, "the session's file was written by a newer version")
        }
        let session = try StoredSession(row)
        guard session.id == id else { throw StorageError(.corrupt, "the session's file is another session's") }
        return session
    }

    /// How much a file holds, without reading it through.
    static func counts(in db: Database) throws -> ContentCounts {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT (SELECT max(number) FROM question), (SELECT max(number) FROM answer),
                    (SELECT max(sequence) FROM event),
                    (SELECT sequence FROM question ORDER BY number DESC LIMIT 1)
                """)
        return ContentCounts(
            questions: row?[0] ?? 0, answers: row?[1] ?? 0, events: max(row?[2] ?? 0, row?[3] ?? 0))
    }

    /// Reads a file through, once.
    static func outline(of session: StoredSession, in db: Database) throws -> SessionOutline {
        var outline = SessionOutline(session: session)
        var events = try Events(db)
        let questions = try Row.fetchCursor(
            db, sql: "SELECT sequence, id, author, request FROM question ORDER BY number")
        while let row = try questions.next() {
            try events.replay(into: &outline, before: row[0])
            let author = row.bytes(2)
            outline.noteQuestion(id: row[1], author: author, request: row.bytes(3))
            guard outline.sequence == row[0] else { throw StorageError(.corrupt, "a session's events have gaps") }
        }
        try events.replay(into: &outline, before: .max)
        let answers = try Row.fetchCursor(db, sql: "SELECT question, request FROM answer ORDER BY number")
        while let row = try answers.next() {
            let question: Int64 = row[0]
            guard outline.question(question) != nil else { throw StorageError(.corrupt, "an answer to no question") }
            outline.noteAnswer(to: question, request: row.bytes(1))
        }
        return outline
    }

    /// The rows of `event`, in order.
    private struct Events {
        private let rows: RowCursor
        private var next: (sequence: Int64, question: Int64?, state: Int?)?

        init(_ db: Database) throws {
            rows = try Row.fetchCursor(db, sql: "SELECT sequence, question, state FROM event ORDER BY sequence")
            try advance()
        }

        private mutating func advance() throws {
            next = try rows.next().map { row in (row[0], row[1], row[2]) }
        }

        mutating func replay(into outline: inout SessionOutline, before sequence: Int64) throws {
            while let event = next, event.sequence < sequence {
                if let question = event.question {
                    guard outline.question(question) != nil, let state = event.state.flatMap(QuestionState.init) else {
                        throw StorageError(.corrupt, "an event of no question")
                    }
                    outline.noteChange(of: question, to: state)
                } else {
                    outline.noteSessionChange(outline.session)
                }
                guard outline.sequence == event.sequence else {
                    throw StorageError(.corrupt, "a session's events have gaps")
                }
                try advance()
            }
        }
    }
}

internal import ChatCore
internal import GRDB
internal import Storage

extension ChatStore {
    /// Bytes of content after which a batch ends, whatever its limit: a batch is held in memory and may be one message.
    static let batchBytes = 1 << 20

    /// Questions of a session, in the order asked.
    /// - Parameters:
    ///   - selection: Which of them. A participant's own are found by the index that makes their requests unique, and are
    ///     so few that they are sorted here.
    ///   - after: The number of the question before the first one.
    ///   - limit: At most so many; fewer where they are long, but never none while there are any.
    ///   - bytes: Of content, after which there are no more.
    func questions(
        _ selection: QuestionSelection, of session: Int64, after number: Int64, limit: Int, bytes: Int = batchBytes
    ) async throws -> QuestionBatch {
        try await database.read { db in
            let after = Place.of(number: number, in: session)
            let columns = QuestionRecord.columns
            let published = QuestionState.published.rawValue
            let (sql, arguments): (String, StatementArguments) =
                switch selection {
                case .seenBy(.moderator):
                    (
                        "SELECT \(columns) FROM question WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
                        [after, Place.last(in: session), limit + 1]
                    )
                case .seenBy(.anyone):
                    (
                        """
                        SELECT \(columns) FROM question WHERE session = ? AND state = \(published) AND place > ?
                        ORDER BY place LIMIT ?
                        """,
                        [session, after, limit + 1]
                    )
                case .seenBy(.author(let author)):
                    (
                        """
                        SELECT \(columns) FROM question WHERE session = ? AND state = \(published) AND place > ?
                        UNION ALL
                        SELECT \(columns) FROM question
                        WHERE session = ? AND author = ? AND state <> \(published) AND place > ?
                        ORDER BY place LIMIT ?
                        """,
                        [session, after, session, author.column, after, limit + 1]
                    )
                case .askedBy(let author):
                    (
                        """
                        SELECT \(columns) FROM question WHERE session = ? AND author = ? AND place > ?
                        ORDER BY place LIMIT ?
                        """,
                        [session, author.column, after, limit + 1]
                    )
                }
            let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
            return try ChatStore.batch(rows, limit: limit, bytes: bytes, in: db)
        }
    }

    /// The number of a question that a page token names.
    func number(of questionID: String, in session: Int64) async throws -> Int64? {
        try await database.read { db in
            let statement = try db.cachedStatement(sql: "SELECT place FROM question WHERE id = ? AND session = ?")
            return try Int64.fetchOne(statement, arguments: [questionID, session]).map(Place.number)
        }
    }

    /// Where a session's feed is now: the session itself, and the sequence of the last committed event.
    func feedPosition(of sessionID: String) async throws -> (session: StoredSession, sequence: Int64)? {
        try await database.read { db in
            guard let session = try ChatStore.session(sessionID, in: db) else { return nil }
            let statement = try db.cachedStatement(sql: "SELECT max(sequence) FROM event WHERE session = ?")
            return (session, try Int64.fetchOne(statement, arguments: [session.row]) ?? 0)
        }
    }

    /// The present state of questions whose last change lies in a range of sequences, in the order of those changes.
    ///
    /// Each question comes once. One that changes again while a range is read in batches leaves it; its later event tells.
    func changedQuestions(
        of session: Int64, for audience: Audience, after sequence: Int64, through last: Int64, limit: Int,
        bytes: Int
    ) async throws -> QuestionBatch {
        try await database.read { db in
            let (which, order): (String, String)
            var arguments: StatementArguments = [session]
            switch audience {
            case .moderators:
                which = """
                    place IN (
                        SELECT event.question FROM event JOIN question
                            ON question.place = event.question AND question.version = event.version
                        WHERE event.session = ? AND event.sequence > ? AND event.sequence <= ?
                        ORDER BY event.sequence LIMIT ?
                    )
                    """
                order = "last_sequence"
            case .everyone:
                which = "session = ? AND was_published = 1 AND last_sequence > ? AND last_sequence <= ?"
                order = "last_sequence LIMIT ?"
            case .author(let author):
                which = "session = ? AND author = ? AND last_sequence > ? AND last_sequence <= ?"
                order = "last_sequence LIMIT ?"
                arguments += [author.column]
            }
            let statement = try db.cachedStatement(
                sql: "SELECT \(QuestionRecord.columns) FROM question WHERE \(which) ORDER BY \(order)")
            let rows = try Row.fetchCursor(statement, arguments: arguments + [sequence, last, limit + 1])
            return try ChatStore.batch(rows, limit: limit, bytes: bytes, in: db)
        }
    }

    private static func batch(_ rows: RowCursor, limit: Int, bytes: Int, in db: Database) throws -> QuestionBatch {
        var batch = QuestionBatch()
        var size = 0
        while let row = try rows.next() {
            guard batch.questions.count < limit, size < bytes else {
                batch.isLast = false
                break
            }
            let question = try QuestionRecord(row, in: db)
            size += question.contentSize
            batch.questions.append(question)
        }
        return batch
    }
}

/// Some questions of a longer row of them.
struct QuestionBatch: Sendable {
    var questions: [QuestionRecord] = []
    /// Whether there are no more after these.
    var isLast = true
}

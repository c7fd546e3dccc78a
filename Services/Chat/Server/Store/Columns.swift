internal import ChatCore
internal import Foundation
internal import GRDB

extension [UInt8] {
    /// As a column that may hold NULL: SQLite has no empty blob that could be told from NULL through every binding.
    var column: Data? { isEmpty ? nil : Data(self) }
}

extension Row {
    /// The bytes of a column; none for NULL.
    func bytes(_ index: Int) -> [UInt8] {
        (self[index] as Data?).map([UInt8].init) ?? []
    }

    func time(_ index: Int) -> Date? {
        (self[index] as Int64?).map(Date.init(milliseconds:))
    }
}

/// A session as it is stored.
struct StoredSession: Sendable {
    static let columns = """
        row, id, organisation, state, create_time, open_time, end_time, delete_time, retention_days, title, last_sequence
        """

    let row: Int64
    var record: SessionRecord
    let sealedTitle: [UInt8]
    /// Of the event that last changed the session itself.
    var lastSequence: Int64

    init(row: Int64, record: SessionRecord, sealedTitle: [UInt8], lastSequence: Int64) {
        self.row = row
        self.record = record
        self.sealedTitle = sealedTitle
        self.lastSequence = lastSequence
    }

    /// From ``columns``, in their order.
    init(_ columns: Row) throws(ChatError) {
        guard let state = SessionState(rawValue: columns[3]) else { throw .damaged }
        row = columns[0]
        record = SessionRecord(
            id: columns[1], organisationID: columns[2], state: state,
            createTime: Date(milliseconds: columns[4]), openTime: columns.time(5), endTime: columns.time(6),
            deleteTime: columns.time(7), retentionDays: columns[8])
        sealedTitle = columns.bytes(9)
        lastSequence = columns[10]
    }
}

extension QuestionRecord {
    static let columns = """
        place, id, state, was_published, text, author_name, author, ask_time, version, last_sequence
        """

    /// From ``columns``, in their order, with the answers that belong to it.
    init(_ columns: Row, in db: Database) throws {
        guard let state = QuestionState(rawValue: columns[2]) else { throw ChatError.damaged }
        let place: Int64 = columns[0]
        let version: Int64 = columns[8]
        self.init(
            id: columns[1], number: Place.number(of: place), state: state, wasPublished: columns[3],
            sealedText: columns.bytes(4), sealedAuthorName: columns.bytes(5), author: columns.bytes(6),
            askTime: Date(milliseconds: columns[7]), version: version, lastSequence: columns[9],
            // A question that never changed has no answer to look for.
            answers: version > 1 ? try AnswerRecord.all(of: place, in: db) : [])
    }

    /// Bytes of its texts; what a message of it takes, roughly.
    var contentSize: Int {
        answers.reduce(sealedText.count + sealedAuthorName.count) { $0 + $1.sealedText.count + $1.sealedHostName.count }
    }
}

extension AnswerRecord {
    /// The answers to one question, in the order given.
    fileprivate static func all(of place: Int64, in db: Database) throws -> [AnswerRecord] {
        let statement = try db.cachedStatement(
            sql: "SELECT id, text, host_name, answer_time FROM answer WHERE question = ? ORDER BY row")
        return try Row.fetchAll(statement, arguments: [place]).map { row in
            AnswerRecord(
                id: row[0], sealedText: row.bytes(1), sealedHostName: row.bytes(2),
                answerTime: Date(milliseconds: row[3]))
        }
    }
}

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

extension StoredSession {
    /// In every table of sessions. Times are milliseconds since 1970-01-01T00:00:00Z.
    static let columnDefinitions = """
        id TEXT NOT NULL UNIQUE,
        organisation TEXT NOT NULL,
        state INTEGER NOT NULL,
        create_time INTEGER NOT NULL,
        open_time INTEGER,
        end_time INTEGER,
        delete_time INTEGER,
        retention_days INTEGER NOT NULL,
        title BLOB NOT NULL,            -- sealed
        last_sequence INTEGER NOT NULL, -- of the event that last changed the session itself
        key_version INTEGER NOT NULL,   -- of the content key that everything is sealed under
        deleted_since INTEGER,          -- when the first question was deleted that this key still opens copies of
        has_old_key INTEGER NOT NULL    -- whether retention still has the key before
        """

    static let columns = """
        id, organisation, state, create_time, open_time, end_time, delete_time, retention_days, title, last_sequence,
        key_version, deleted_since, has_old_key
        """

    /// As many question marks.
    static let marks = Array(repeating: "?", count: columnCount).joined(separator: ", ")
    static let columnCount = 13

    /// The values of ``columns``, in their order.
    var values: [(any DatabaseValueConvertible)?] {
        [
            record.id, record.organisationID, record.state.rawValue, record.createTime.milliseconds,
            record.openTime?.milliseconds, record.endTime?.milliseconds, record.deleteTime?.milliseconds,
            record.retentionDays, Data(sealedTitle), lastSequence, keyVersion, deletedSince?.milliseconds, hasOldKey,
        ]
    }

    /// From ``columns``, in their order.
    init(_ row: Row) throws(ChatError) {
        guard let state = SessionState(rawValue: row[2]) else { throw .damaged }
        self.init(
            record: SessionRecord(
                id: row[0], organisationID: row[1], state: state,
                createTime: Date(milliseconds: row[3]), openTime: row.time(4), endTime: row.time(5),
                deleteTime: row.time(6), retentionDays: row[7]),
            sealedTitle: row.bytes(8), lastSequence: row[9], keyVersion: row[10], deletedSince: row.time(11),
            hasOldKey: row[12])
    }
}

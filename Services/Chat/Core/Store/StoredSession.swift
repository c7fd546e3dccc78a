package import Foundation

/// A session as it is stored.
package struct StoredSession: Sendable, Hashable {
    package var record: SessionRecord
    package var sealedTitle: [UInt8]
    /// Of the event that last changed the session itself.
    package var lastSequence: Int64
    /// Of the content key that all of it is sealed under.
    package var keyVersion: Int
    /// When the first question was deleted that this content key still opens copies of; nil: none was.
    package var deletedSince: Date?
    /// Whether retention is still to be told that the key before is not needed any more.
    package var hasOldKey: Bool

    package init(
        record: SessionRecord, sealedTitle: [UInt8], lastSequence: Int64, keyVersion: Int, deletedSince: Date? = nil,
        hasOldKey: Bool = false
    ) {
        self.record = record
        self.sealedTitle = sealedTitle
        self.lastSequence = lastSequence
        self.keyVersion = keyVersion
        self.deletedSince = deletedSince
        self.hasOldKey = hasOldKey
    }

    package var id: String { record.id }
}

/// What a page of an organisation's sessions, newest first, continues after.
package struct SessionPageKey: Sendable, Hashable {
    package let createTime: Date
    package let id: String

    package init(createTime: Date, id: String) {
        self.createTime = createTime
        self.id = id
    }

    package init(_ session: StoredSession) {
        self.init(createTime: session.record.createTime, id: session.id)
    }
}

package import Foundation

/// A session as it is stored.
package struct StoredSession: Sendable, Hashable {
    package var record: SessionRecord
    package let sealedTitle: [UInt8]
    /// Of the event that last changed the session itself.
    package var lastSequence: Int64

    package init(record: SessionRecord, sealedTitle: [UInt8], lastSequence: Int64) {
        self.record = record
        self.sealedTitle = sealedTitle
        self.lastSequence = lastSequence
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

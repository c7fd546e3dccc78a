package import Backup
package import Foundation
import Privacy
import RetentionCore

/// What retention's part of a backup consists of: its database and the ledger's key; and apart from those, the session keys.
package struct RetentionCopying: ContentCopying, KeyCopying {
    let folder: String
    let store: RetentionStore
    let keys: SessionKeyStore
    let anchor: LedgerAnchor
    let pause: KeyChangePause
    let clock: any WallClock

    package func copyContent(by way: String, to stream: CopyStream) async throws {
        let copy = way + "/retention.sqlite"
        try await store.copy(to: copy)
        try await stream.send("retention.sqlite", from: copy)
        try await stream.send("ledger-key", from: folder + "/ledger-key")
    }

    /// The anchor first: a folder that is taken back from before knows nothing of the copy otherwise.
    package func recordCopy(days: Int) async throws -> (created: Date, expires: Date) {
        let created = LedgerTime.rounded(clock.now())
        let copy = KeyCopy(createTime: created, expireTime: created.addingTimeInterval(TimeInterval(days) * 86_400))
        try anchor.note(copy)
        try await store.add([copy])
        pause.begin()
        return (copy.createTime, copy.expireTime)
    }

    package func copyKeys(to stream: CopyStream) async throws {
        guard pause.isUnderWay else { throw RetentionError.keyCopyNotRecorded }
        try await keys.copy(now: clock.now(), to: stream)
        // Whatever the end of the pause has let change since is not in the copy.
        guard pause.isUnderWay else { throw RetentionError.keyCopyNotRecorded }
    }

    package func finishCopy() async { pause.end() }
}

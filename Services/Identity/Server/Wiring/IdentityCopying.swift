internal import Backup
internal import Storage

/// What identity's part of a backup consists of.
struct IdentityCopying: ContentCopying {
    let folder: String
    let store: IdentityStore

    func copyContent(by way: String, to stream: CopyStream) async throws {
        let copy = way + "/identity.sqlite"
        try await store.database.read { db in try DatabaseCopy.write(db, to: copy) }
        try await stream.send("identity.sqlite", from: copy)
        try await stream.send("signing-key", from: folder + "/signing-key")
    }
}

internal import ChatCore

/// A session whose key is in memory: what is needed to serve it without the database and without retention.
///
/// A class, because every call holds one: a single reference to count.
final class OpenedSession: Sendable {
    let stored: StoredSession
    let cipher: SessionCipher
    let title: String

    init(stored: StoredSession, cipher: SessionCipher, title: String) {
        self.stored = stored
        self.cipher = cipher
        self.title = title
    }

    /// - Throws: ``ChatError/damaged`` if the title does not open with the key.
    convenience init(stored: StoredSession, cipher: SessionCipher) throws(ChatError) {
        self.init(stored: stored, cipher: cipher, title: try cipher.open(stored.sealedTitle, as: .title))
    }

    var id: String { stored.record.id }
    var record: SessionRecord { stored.record }

    /// The same session after a change.
    func changed(to stored: StoredSession) -> OpenedSession {
        OpenedSession(stored: stored, cipher: cipher, title: title)
    }
}

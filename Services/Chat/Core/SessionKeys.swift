package import Privacy

/// The keys of one session, as retention has them.
package struct SessionKeys: Sendable {
    /// For participants' tokens, and for the digests that stand for people and requests. Stays as long as the session.
    package let token: SessionKey
    /// Seals the content.
    package let content: SessionKey
    /// Of `content`, from 1.
    package let version: Int
    /// The content key of the next version, while a change of keys is under way.
    package let next: SessionKey?

    package init(token: SessionKey, content: SessionKey, version: Int = 1, next: SessionKey? = nil) {
        self.token = token
        self.content = content
        self.version = version
        self.next = next
    }

    package static func random() -> SessionKeys { SessionKeys(token: .random(), content: .random()) }

    /// - Returns: nil if that one is destroyed, or was never made.
    package func content(ofVersion version: Int) -> SessionKey? {
        switch version {
        case self.version: content
        case self.version + 1: next
        default: nil
        }
    }
}

public import Crypto
internal import Foundation

/// The data key of one session. Everything personal in the session is sealed under it, so destroying it erases them all.
///
/// Sealing uses keys derived from it, one for each use, so no key ever serves two algorithms or two kinds of message.
public struct SessionKey: Sendable {
    /// 256 bits.
    public static let byteCount = 32

    private let root: SymmetricKey
    private let fieldKey: SymmetricKey
    let participantTokenKey: SymmetricKey

    /// - Throws: ``PrivacyError/Code/invalidKey`` unless there are exactly ``byteCount`` bytes.
    public init(bytes: [UInt8]) throws(PrivacyError) {
        guard bytes.count == SessionKey.byteCount else {
            throw PrivacyError(.invalidKey, "a session key is \(SessionKey.byteCount) bytes long")
        }
        self.init(root: SymmetricKey(data: bytes))
    }

    public static func random() -> SessionKey {
        SessionKey(root: SymmetricKey(size: .bits256))
    }

    private init(root: SymmetricKey) {
        self.root = root
        fieldKey = SessionKey.derive("sealed field", from: root)
        participantTokenKey = SessionKey.derive("participant token", from: root)
    }

    /// The key itself, for its custodian. Hold the array no longer than needed: it is not wiped when it goes.
    public var bytes: [UInt8] {
        root.withUnsafeBytes { [UInt8]($0) }
    }

    /// Encrypts a text for one place with AES-256-GCM.
    /// - Returns: Format version (1 byte) ‖ nonce (12) ‖ ciphertext ‖ tag (16).
    public func seal(_ text: String, field: SealedField) throws(PrivacyError) -> [UInt8] {
        try SealedBytes.seal(Array(text.utf8), authenticating: field.authenticatedData, key: fieldKey)
    }

    /// - Throws: ``PrivacyError/Code/notAuthentic`` if the key, the place or any byte differs;
    ///   ``PrivacyError/Code/malformed`` or ``PrivacyError/Code/unsupportedFormat`` if it was never sealed here.
    public func open(_ sealed: [UInt8], field: SealedField) throws(PrivacyError) -> String {
        let plaintext = try SealedBytes.open(sealed, authenticating: field.authenticatedData, key: fieldKey)
        guard let text = String(validating: plaintext, as: UTF8.self) else {
            throw PrivacyError(.malformed, "a sealed text is not UTF-8")
        }
        return text
    }

    /// A 256-bit key for one purpose, by HKDF-SHA256 (RFC 5869). The same purpose gives the same key every time.
    public func derived(_ purpose: String) -> SymmetricKey {
        SessionKey.derive(purpose, from: root)
    }

    private static func derive(_ purpose: String, from root: SymmetricKey) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: root, salt: Array("samtal session key".utf8), info: Array(purpose.utf8),
            outputByteCount: byteCount)
    }
}

// A key that ends up in a log line, an error or a test's output prints as this and nothing else.
extension SessionKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "SessionKey(redacted)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

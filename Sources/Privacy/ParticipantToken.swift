/// What a participant holds to be recognised within one session. Nothing about it is stored on the server: the name
/// travels inside, encrypted, and the token dies with the session's key.
///
/// `<session id>.<base64url of the sealed participant id and name>`. The session id is readable, because it tells which
/// key opens the rest, and it is authenticated with it.
public enum ParticipantToken {
    /// Longest name that fits into a token, in bytes of UTF-8.
    public static let maximumNameBytes = 1024

    /// Longest token that is looked at, in bytes; longer ones are refused unread.
    public static let maximumLength =
        Identifier.maximumLength + 1
        + ((SealedBytes.overhead + 2 * lengthBytes + Identifier.maximumLength + maximumNameBytes) * 4 + 2) / 3

    private static let lengthBytes = 2
    private static let separator = UInt8(ascii: ".")

    /// - Parameter name: As the participant gave it; empty for an anonymous one.
    /// - Throws: ``PrivacyError/Code/tooLong`` for a name over its bound, ``PrivacyError/Code/malformed`` for an
    ///   identifier that ``Identifier/isValid(_:)`` refuses.
    public static func seal(
        participantID: String, name: String, sessionID: String, key: SessionKey
    ) throws(PrivacyError) -> String {
        guard Identifier.isValid(participantID), Identifier.isValid(sessionID) else {
            throw PrivacyError(.malformed, "an identifier for a participant token is not valid")
        }
        guard name.utf8.count <= maximumNameBytes else {
            throw PrivacyError(.tooLong, "a name is too long for a participant token")
        }
        var plaintext: [UInt8] = []
        append(participantID, to: &plaintext)
        append(name, to: &plaintext)
        let sealed = try SealedBytes.seal(
            plaintext, authenticating: authenticatedData(sessionID), key: key.participantTokenKey)
        return sessionID + "." + Base64URL.encode(sealed)
    }

    /// - Throws: ``PrivacyError`` for anything that ``seal(participantID:name:sessionID:key:)`` did not make with this key.
    public static func open(
        _ text: String, key: SessionKey
    ) throws(PrivacyError) -> (participantID: String, name: String) {
        guard text.utf8.count <= maximumLength else {
            throw PrivacyError(.tooLong, "a participant token is too long")
        }
        guard let sessionID = sessionID(of: text),
            let sealed = Base64URL.decode(text.utf8.dropFirst(sessionID.utf8.count + 1))
        else {
            throw PrivacyError(.malformed, "a participant token is malformed")
        }
        let plaintext = try SealedBytes.open(
            sealed, authenticating: authenticatedData(sessionID), key: key.participantTokenKey)
        var rest = plaintext[...]
        guard let participantID = takeText(from: &rest), let name = takeText(from: &rest), rest.isEmpty else {
            throw PrivacyError(.malformed, "a participant token's content is malformed")
        }
        return (participantID, name)
    }

    /// The session that a token claims to belong to, so that its key can be found; not proof of anything.
    /// - Returns: nil unless the text has a token's shape: bounded, a valid identifier, a dot, and something after it.
    public static func sessionID(of text: String) -> String? {
        let bytes = text.utf8
        guard bytes.count <= maximumLength,
            let dot = bytes.firstIndex(of: separator), bytes.index(after: dot) < bytes.endIndex
        else { return nil }
        let sessionID = String(text[..<dot])
        return Identifier.isValid(sessionID) ? sessionID : nil
    }

    private static func authenticatedData(_ sessionID: String) -> [UInt8] {
        AuthenticatedData.encode("samtal participant token", [sessionID])
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let length = UInt16(truncatingIfNeeded: text.utf8.count)
        bytes.append(UInt8(length >> 8))
        bytes.append(UInt8(length & 0xFF))
        bytes.append(contentsOf: text.utf8)
    }

    private static func takeText(from bytes: inout ArraySlice<UInt8>) -> String? {
        guard bytes.count >= lengthBytes else { return nil }
        let length = bytes.prefix(lengthBytes).reduce(0) { $0 << 8 | Int($1) }
        bytes = bytes.dropFirst(lengthBytes)
        guard bytes.count >= length else { return nil }
        defer { bytes = bytes.dropFirst(length) }
        return String(validating: bytes.prefix(length), as: UTF8.self)
    }
}

/// The place that a sealed text belongs to. It is authenticated with the text, so that a text moved to another
/// session, object or field does not open.
public struct SealedField: Sendable, Hashable {
    public var session: String
    /// Identifier of the question, answer or participant that carries the text.
    public var object: String
    /// Name of the field within the object, such as "text" or "author_name".
    public var name: String

    public init(session: String, object: String, name: String) {
        self.session = session
        self.object = object
        self.name = name
    }

    var authenticatedData: [UInt8] {
        AuthenticatedData.encode("samtal sealed field", [session, object, name])
    }
}

/// Associated data for the AEAD: parts behind their lengths, so that no two lists of parts give the same bytes.
enum AuthenticatedData {
    /// - Parameter label: What the ciphertext is for; separates the uses of this encoding from one another.
    static func encode(_ label: String, _ parts: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(4 + label.utf8.count) { $0 + 4 + $1.utf8.count })
        append(label, to: &bytes)
        for part in parts { append(part, to: &bytes) }
        return bytes
    }

    private static func append(_ part: String, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: part.utf8)
    }
}

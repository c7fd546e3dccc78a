import Crypto

/// Counts and hashes a file while it is written.
package struct FileDigest {
    private var hash = SHA256()
    package private(set) var bytes: Int64 = 0

    package init() {}

    package mutating func update(_ part: [UInt8]) {
        hash.update(data: part)
        bytes += Int64(part.count)
    }

    /// Hex SHA-256 of all that was added.
    package func sha256() -> String {
        hexadecimal(hash.finalize())
    }
}

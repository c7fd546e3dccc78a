internal import Crypto

/// The SHA-256 of a secret: all that is stored of a sign-in code or refresh token.
///
/// No salt and no slow function: the secrets are 130 random bits or more, so that there is nothing to guess, and the
/// plain hash is what a row can be found by.
package struct SecretHash: Sendable, Hashable {
    package static let byteCount = 32

    package let bytes: [UInt8]

    package init(of secret: some StringProtocol) {
        bytes = Array(SHA256.hash(data: Array(secret.utf8)))
    }

    /// A hash read back from the store; nil unless it is 32 bytes.
    package init?(stored bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }
}

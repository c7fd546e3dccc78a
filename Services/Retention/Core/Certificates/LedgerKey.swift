package import Crypto

/// The public half of a ledger's key: what certificates are verified with.
package struct LedgerPublicKey: Sendable, Equatable {
    /// Ed25519, 32 bytes (RFC 8032).
    package let bytes: [UInt8]
    /// The first 16 hexadecimal digits of the SHA-256 of the public key.
    package let keyID: String

    /// Nil when the bytes are not a 32-byte Ed25519 key.
    package init?(bytes: [UInt8]) {
        guard (try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)) != nil else { return nil }
        self.bytes = bytes
        self.keyID = String(hexadecimal(SHA256.hash(data: bytes)).prefix(16))
    }

    func isValid(signature: [UInt8], of statement: String) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: Array(statement.utf8))
    }
}

/// Signs the ledger's statements. Where the key is kept is not its business.
package struct LedgerSigner: Sendable {
    private let privateKey: Curve25519.Signing.PrivateKey
    package let publicKey: LedgerPublicKey

    package init?(privateKey: Curve25519.Signing.PrivateKey) {
        guard let publicKey = LedgerPublicKey(bytes: Array(privateKey.publicKey.rawRepresentation)) else {
            return nil
        }
        self.privateKey = privateKey
        self.publicKey = publicKey
    }

    package func certificate(_ statement: ErasureStatement) throws -> Certificate {
        let text = statement.canonicalText
        let signature = try privateKey.signature(for: Array(text.utf8))
        return Certificate(statement: text, signature: Array(signature), keyID: publicKey.keyID)
    }
}

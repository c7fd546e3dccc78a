import Crypto

/// A signed statement of erasure: one link of the ledger. What it says is only ever read from `statement`.
package struct Certificate: Sendable, Equatable {
    /// The exact text that was signed.
    package var statement: String
    /// Ed25519 over the statement's UTF-8 bytes, 64 bytes.
    package var signature: [UInt8]
    /// Which key signed: see `LedgerPublicKey.keyID`.
    package var keyID: String

    package init(statement: String, signature: [UInt8], keyID: String) {
        self.statement = statement
        self.signature = signature
        self.keyID = keyID
    }

    /// Hex SHA-256 of statement ‖ signature: the `previous` of the certificate that follows.
    package var hash: String {
        var digest = SHA256()
        digest.update(data: Array(statement.utf8))
        digest.update(data: signature)
        return hexadecimal(digest.finalize())
    }
}

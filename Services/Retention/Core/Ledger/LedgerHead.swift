/// The latest certificate of a ledger, by which it can be told from an older state of it and from another ledger.
package struct LedgerHead: Sendable, Equatable {
    /// 0 for an empty ledger.
    package var sequence: Int64
    /// Hex SHA-256 of its statement followed by its signature.
    package var hash: String

    package init(sequence: Int64, hash: String) {
        self.sequence = sequence
        self.hash = hash
    }

    /// Of a ledger without a certificate.
    package static let empty = LedgerHead(sequence: 0, hash: ErasureStatement.noPrevious)
}

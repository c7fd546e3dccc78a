/// What is wrong with a certificate, and with which one.
package struct CertificateProblem: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Error, Sendable, Equatable {
        case statementTooLarge
        case statementUnreadable
        case statementNotCanonical
        case unknownFormat
        /// Signed, or said to be, by another key than the one given.
        case otherKey(keyID: String)
        case signatureInvalid
        case sequenceUnexpected(expected: Int64)
        /// `previous` is not the hash of the certificate before.
        case linkBroken
    }

    /// The position among the certificates that were given, from 0.
    package var index: Int
    /// The sequence number that the statement claims; nil when it can't be read.
    package var sequence: Int64?
    package var reason: Reason

    package init(index: Int, sequence: Int64?, reason: Reason) {
        self.index = index
        self.sequence = sequence
        self.reason = reason
    }

    /// One sentence for people; holds nothing that the certificate says but its number.
    package var description: String {
        let which = sequence.map { "certificate \($0)" } ?? "the certificate at position \(index + 1)"
        return switch reason {
        case .statementTooLarge: "\(which): the statement is longer than \(ErasureStatement.maximumBytes) bytes"
        case .statementUnreadable: "\(which): the statement can't be read"
        case .statementNotCanonical: "\(which): the statement is not in canonical form"
        case .unknownFormat: "\(which): the statement has an unknown format or version"
        case .otherKey(let keyID): "\(which): it names another key, \(keyID.prefix(16))"
        case .signatureInvalid: "\(which): the signature does not match the statement"
        case .sequenceUnexpected(let expected): "\(which): certificate \(expected) was expected here"
        case .linkBroken: "\(which): it does not follow the certificate before it"
        }
    }
}

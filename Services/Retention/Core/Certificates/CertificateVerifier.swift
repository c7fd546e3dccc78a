/// Checks certificates with nothing but a public key: offline, without trust in the service that wrote them.
package enum CertificateVerifier {
    /// Checks a whole ledger, first certificate to last: every signature, every sequence number, every link. Numbers may be
    /// missing where the certificate after them says so.
    ///
    /// - Returns: the first problem; nil when the chain is sound. An empty chain is sound.
    package static func verify(chain: [Certificate], key: LedgerPublicKey) -> CertificateProblem? {
        var expected: Int64 = 1
        var previous = ErasureStatement.noPrevious
        for (index, certificate) in chain.enumerated() {
            switch read(certificate, key: key) {
            case .failure(let reason):
                return problem(index, certificate, reason)
            case .success(let statement):
                guard (statement.gapAfter ?? statement.sequence - 1) == expected - 1 else {
                    return problem(index, certificate, .sequenceUnexpected(expected: expected))
                }
                guard statement.previous == previous else { return problem(index, certificate, .linkBroken) }
                expected = statement.sequence + 1
            }
            previous = certificate.hash
        }
        return nil
    }

    /// Checks one organisation's part of a ledger, in rising order: every signature, and the link wherever two
    /// neighbours of the ledger stand side by side. What lies in the gaps belongs to others.
    package static func verify(excerpt: [Certificate], key: LedgerPublicKey) -> CertificateProblem? {
        var before: (sequence: Int64, hash: String)?
        for (index, certificate) in excerpt.enumerated() {
            switch read(certificate, key: key) {
            case .failure(let reason):
                return problem(index, certificate, reason)
            case .success(let statement):
                if let before {
                    guard statement.sequence > before.sequence else {
                        return problem(index, certificate, .sequenceUnexpected(expected: before.sequence + 1))
                    }
                    let follows = (statement.gapAfter ?? statement.sequence - 1) == before.sequence
                    guard !follows || statement.previous == before.hash else {
                        return problem(index, certificate, .linkBroken)
                    }
                }
                before = (statement.sequence, certificate.hash)
            }
        }
        return nil
    }

    /// Checks one certificate by itself: its form, its key and its signature. Its place in the ledger is not checked.
    package static func verify(_ certificate: Certificate, key: LedgerPublicKey) -> CertificateProblem? {
        switch read(certificate, key: key) {
        case .failure(let reason): problem(0, certificate, reason)
        case .success: nil
        }
    }

    private static func read(
        _ certificate: Certificate, key: LedgerPublicKey
    ) -> Result<ErasureStatement, CertificateProblem.Reason> {
        guard certificate.statement.utf8.count <= ErasureStatement.maximumBytes else {
            return .failure(.statementTooLarge)
        }
        guard certificate.keyID == key.keyID else { return .failure(.otherKey(keyID: certificate.keyID)) }
        guard key.isValid(signature: certificate.signature, of: certificate.statement) else {
            return .failure(.signatureInvalid)
        }
        do throws(CertificateProblem.Reason) {
            return .success(try ErasureStatement(reading: certificate.statement))
        } catch {
            return .failure(error)
        }
    }

    private static func problem(
        _ index: Int, _ certificate: Certificate, _ reason: CertificateProblem.Reason
    ) -> CertificateProblem {
        let sequence = try? ErasureStatement(reading: certificate.statement).sequence
        return CertificateProblem(index: index, sequence: sequence, reason: reason)
    }
}

import Crypto
import Foundation
import RetentionCore

/// Invented values for the tests of Core.
enum Sample {
    static func date(_ text: String) throws -> Date {
        guard let date = LedgerTime.date(text: text) else { throw Missing(what: text) }
        return date
    }

    struct Missing: Error { var what: String }

    static func signer() throws -> LedgerSigner {
        guard let signer = LedgerSigner(privateKey: Curve25519.Signing.PrivateKey()) else {
            throw Missing(what: "signer")
        }
        return signer
    }

    static func statement(sequence: Int64 = 1, previous: String = ErasureStatement.noPrevious) throws
        -> ErasureStatement
    {
        ErasureStatement(
            sequence: sequence, previous: previous, organisationID: "org-north", sessionID: "session-\(sequence)",
            trigger: .automatic, evidence: try evidence(),
            endTime: try date("2026-01-31T10:00:00.000Z"), deadline: try date("2026-02-07T10:00:00.000Z"),
            keyDestroyedTime: try date("2026-02-07T10:00:00.125Z"), erasedTime: try date("2026-02-07T10:00:01.500Z"),
            agreementVersion: 2, policyVersion: 5, retentionDays: 7)
    }

    static func evidence() throws -> ErasureEvidence {
        ErasureEvidence(
            keys: KeyDestruction(slots: 2, readBack: .pastPageCache, place: .same, medium: "ext4"),
            content: ContentErasure(
                found: .fileUnlinked, files: 3, bytes: 81_920, time: try date("2026-02-07T10:00:01.250Z"),
                counts: ErasedCounts(questions: 12, answers: 3, events: 40)))
    }

    static func chain(_ length: Int64, signer: LedgerSigner) throws -> [Certificate] {
        var chain: [Certificate] = []
        for sequence in stride(from: 1, through: length, by: 1) {
            let previous = chain.last?.hash ?? ErasureStatement.noPrevious
            chain.append(try signer.certificate(try statement(sequence: sequence, previous: previous)))
        }
        return chain
    }
}

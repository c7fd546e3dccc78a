import Foundation
import RetentionCore
import Testing

@Suite("Verifying certificates")
struct CertificateVerifierTests {
    private let signer: LedgerSigner
    private let chain: [Certificate]

    init() throws {
        signer = try Sample.signer()
        chain = try Sample.chain(5, signer: signer)
    }

    private func problem(in chain: [Certificate]) -> CertificateProblem? {
        CertificateVerifier.verify(chain: chain, key: signer.publicKey)
    }

    @Test("an untouched chain is sound, and every beginning of it")
    func sound() {
        for length in 0...chain.count {
            #expect(problem(in: Array(chain.prefix(length))) == nil)
        }
    }

    /// One change to each member of a statement.
    private static let changes: [@Sendable (inout ErasureStatement) -> Void] = [
        { $0.sequence = 4 }, { $0.previous = ErasureStatement.noPrevious }, { $0.organisationID = "org-south" },
        { $0.sessionID = "session-9" }, { $0.trigger = .manual }, { $0.evidence.keys.slots = 1 },
        { $0.evidence.content.counts?.questions = 0 }, { $0.evidence.content.counts?.answers = 0 },
        { $0.evidence.content.counts?.events = 0 }, { $0.evidence.content.counts = nil },
        { $0.evidence.keys.readBack = .afterDroppingCache }, { $0.evidence.keys.place = .moved },
        { $0.evidence.keys.medium = "xfs" }, { $0.evidence.keys.risks = ["overlay"] },
        { $0.evidence.content.found = .neverHeld }, { $0.evidence.content.files = 1 },
        { $0.evidence.content.bytes = 1 },
        { $0.evidence.content.time = $0.evidence.content.time.addingTimeInterval(1) },
        { $0.endTime = $0.endTime?.addingTimeInterval(1) }, { $0.endTime = nil },
        { $0.deadline = $0.deadline?.addingTimeInterval(0.001) }, { $0.deadline = nil },
        { $0.keyDestroyedTime = $0.keyDestroyedTime.addingTimeInterval(-1) },
        { $0.erasedTime = $0.erasedTime.addingTimeInterval(-1) }, { $0.agreementVersion = 1 },
        { $0.policyVersion = 1 }, { $0.retentionDays = 8 }, { $0.gapAfter = 1 },
        { $0.keyCopiesUntil = $0.erasedTime },
        { $0.restored = RestoreNote(time: $0.erasedTime, certificates: 1) }, { $0.requester = .administrator },
    ]

    @Test("any member changed breaks the signature of that certificate", arguments: 0..<changes.count)
    func tampered(change: Int) throws {
        var statement = try ErasureStatement(reading: chain[2].statement)
        Self.changes[change](&statement)
        var tampered = chain
        tampered[2].statement = statement.canonicalText
        #expect(tampered[2].statement != chain[2].statement)
        let found = try #require(problem(in: tampered))
        #expect(found.index == 2)
        #expect(found.reason == .signatureInvalid)
        #expect(CertificateVerifier.verify(tampered[2], key: signer.publicKey)?.reason == .signatureInvalid)
    }

    @Test("any byte of a statement or a signature changed is found")
    func everyByte() throws {
        let certificate = chain[0]
        for index in certificate.signature.indices {
            var tampered = certificate
            tampered.signature[index] ^= 1
            #expect(CertificateVerifier.verify(tampered, key: signer.publicKey)?.reason == .signatureInvalid)
        }
        let bytes = Array(certificate.statement.utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            var tampered = certificate
            tampered.statement = String(decoding: changed, as: UTF8.self)
            #expect(CertificateVerifier.verify(tampered, key: signer.publicKey)?.reason == .signatureInvalid)
        }
    }

    @Test("a signature that is too short, too long or missing is found", arguments: [0, 1, 63, 65, 1000])
    func signatureLength(length: Int) {
        var tampered = chain
        tampered[1].signature = Array(repeating: 0, count: length)
        #expect(problem(in: tampered) == CertificateProblem(index: 1, sequence: 2, reason: .signatureInvalid))
    }

    @Test("a certificate left out, at the beginning or between, is found", arguments: 0..<4)
    func leftOut(index: Int) {
        var shorter = chain
        shorter.remove(at: index)
        #expect(
            problem(in: shorter)
                == CertificateProblem(
                    index: index, sequence: Int64(index + 2), reason: .sequenceUnexpected(expected: Int64(index + 1))))
    }

    @Test("certificates in another order are found")
    func reordered() {
        for one in 0..<chain.count {
            for other in (one + 1)..<chain.count {
                var swapped = chain
                swapped.swapAt(one, other)
                #expect(problem(in: swapped)?.index == one)
                #expect(problem(in: swapped)?.reason == .sequenceUnexpected(expected: Int64(one + 1)))
            }
        }
    }

    @Test("a certificate twice is found")
    func repeated() {
        var longer = chain
        longer.insert(chain[1], at: 2)
        #expect(
            problem(in: longer)
                == CertificateProblem(
                    index: 2, sequence: 2, reason: .sequenceUnexpected(expected: 3)))
    }

    @Test("a link that its own key signed anew is still found")
    func replaced() throws {
        var statement = try ErasureStatement(reading: chain[1].statement)
        statement.evidence.content.counts?.questions = 0
        var rewritten = chain
        rewritten[1] = try signer.certificate(statement)
        #expect(problem(in: rewritten) == CertificateProblem(index: 2, sequence: 3, reason: .linkBroken))

        statement = try ErasureStatement(reading: chain[0].statement)
        statement.previous = chain[4].hash
        rewritten = chain
        rewritten[0] = try signer.certificate(statement)
        #expect(problem(in: rewritten) == CertificateProblem(index: 0, sequence: 1, reason: .linkBroken))
    }

    @Test("numbers may be missing where the certificate after them says so, and nowhere else")
    func gaps() throws {
        var late = try Sample.statement(sequence: 9, previous: chain[4].hash)
        #expect(
            problem(in: chain + [try signer.certificate(late)])
                == CertificateProblem(index: 5, sequence: 9, reason: .sequenceUnexpected(expected: 6)))
        late.gapAfter = 5
        let goesOn = chain + [try signer.certificate(late)]
        #expect(problem(in: goesOn) == nil)
        #expect(CertificateVerifier.verify(excerpt: Array(goesOn.suffix(2)), key: signer.publicKey) == nil)
        // A certificate that is left out is not one that is said to be missing.
        #expect(problem(in: Array(goesOn.prefix(4)) + [goesOn[5]])?.reason == .sequenceUnexpected(expected: 5))
        late.previous = chain[3].hash
        let broken = chain + [try signer.certificate(late)]
        #expect(problem(in: broken)?.reason == .linkBroken)
        #expect(CertificateVerifier.verify(excerpt: broken, key: signer.publicKey)?.reason == .linkBroken)
        var first = try Sample.statement(sequence: 6)
        first.gapAfter = 0
        #expect(problem(in: [try signer.certificate(first)]) == nil)
    }

    @Test("another key's chain is refused, and says so")
    func otherKey() throws {
        let other = try Sample.signer()
        let found = CertificateVerifier.verify(chain: chain, key: other.publicKey)
        #expect(found?.reason == .otherKey(keyID: signer.publicKey.keyID))
        var disguised = chain
        for index in disguised.indices { disguised[index].keyID = other.publicKey.keyID }
        #expect(CertificateVerifier.verify(chain: disguised, key: other.publicKey)?.reason == .signatureInvalid)
    }

    @Test("what is signed but no statement is refused")
    func signedNonsense() throws {
        var statement = try Sample.statement()
        statement.organisationID = String(repeating: "x", count: 5000)
        let certificate = try signer.certificate(statement)
        #expect(CertificateVerifier.verify(certificate, key: signer.publicKey)?.reason == .statementTooLarge)
    }

    @Test("an organisation's part of the ledger is sound with gaps, but not reordered, forged or relinked")
    func excerpt() throws {
        let key = signer.publicKey
        #expect(CertificateVerifier.verify(excerpt: [], key: key) == nil)
        #expect(CertificateVerifier.verify(excerpt: [chain[1], chain[2], chain[4]], key: key) == nil)
        #expect(CertificateVerifier.verify(excerpt: [chain[2], chain[1]], key: key)?.index == 1)
        #expect(CertificateVerifier.verify(excerpt: [chain[2], chain[2]], key: key)?.index == 1)
        var forged = [chain[1], chain[3]]
        forged[1].signature[0] ^= 1
        #expect(CertificateVerifier.verify(excerpt: forged, key: key)?.reason == .signatureInvalid)
        var statement = try ErasureStatement(reading: chain[1].statement)
        statement.evidence.content.counts?.answers = 0
        let relinked = [try signer.certificate(statement), chain[2]]
        #expect(CertificateVerifier.verify(excerpt: relinked, key: key)?.reason == .linkBroken)
    }
}

import Foundation
import Privacy

extension ErasureStatement {
    /// Statements are about 1,000 bytes, and up to 2,000 more with an instruction; a longer text than this was not written by a ledger.
    package static let maximumBytes = 4096

    /// Reads a statement, and accepts it only in its one canonical spelling: a text that reads the same but is
    /// written otherwise, or that says more, is refused.
    package init(reading text: String) throws(CertificateProblem.Reason) {
        guard text.utf8.count <= Self.maximumBytes else { throw .statementTooLarge }
        let members: Members
        do {
            members = try JSONDecoder().decode(Members.self, from: Data(text.utf8))
        } catch {
            throw .statementUnreadable
        }
        guard members.format == Self.format, members.version == Self.version else {
            throw .unknownFormat
        }
        self = try members.statement()
        guard canonicalText.utf8.elementsEqual(text.utf8) else { throw .statementNotCanonical }
    }

    /// The members as JSON has them.
    private struct Members: Decodable {
        struct Counts: Decodable {
            var answers: Int64
            var events: Int64
            var questions: Int64
        }

        var agreementVersion: Int64
        var by: String?
        var counts: Counts?
        var declaredRegions: [String: String]?
        var deadline: String?
        var ended: String?
        var erased: String
        var evidence: ErasureEvidence.Members
        var format: String
        var gapAfter: Int64?
        var instruction: String?
        var keyCopiesUntil: String?
        var keyDestroyed: String
        var organisation: String
        var policyVersion: Int64
        var previous: String
        var restored: RestoreNote.Members?
        var retentionDays: Int64
        var sequence: Int64
        var session: String
        var trigger: ErasureTrigger
        var version: Int

        enum CodingKeys: String, CodingKey {
            case agreementVersion = "agreement_version"
            case declaredRegions = "declared_regions"
            case by, counts, deadline, ended, erased, evidence, format
            case gapAfter = "gap_after"
            case instruction
            case keyCopiesUntil = "key_copies_until"
            case keyDestroyed = "key_destroyed"
            case organisation
            case policyVersion = "policy_version"
            case previous, restored
            case retentionDays = "retention_days"
            case sequence, session, trigger, version
        }

        func statement() throws(CertificateProblem.Reason) -> ErasureStatement {
            let counts = counts.map {
                ErasedCounts(questions: $0.questions, answers: $0.answers, events: $0.events)
            }
            let integers = [
                agreementVersion, counts?.answers ?? 0, counts?.events ?? 0, counts?.questions ?? 0, policyVersion,
                retentionDays,
            ]
            guard integers.allSatisfy({ (0...CanonicalJSON.largestInteger).contains($0) }),
                (1...CanonicalJSON.largestInteger).contains(sequence),
                gapAfter.map({ $0 >= 0 && $0 < sequence - 1 }) ?? true,
                let evidence = evidence.evidence(counts: counts)
            else { throw .statementUnreadable }
            return ErasureStatement(
                sequence: sequence, previous: previous, gapAfter: gapAfter, restored: try restoreNote(),
                organisationID: organisation, sessionID: session,
                trigger: trigger, requester: try requester(), evidence: evidence,
                endTime: try Self.optionalTime(ended), deadline: try Self.optionalTime(deadline),
                keyDestroyedTime: try Self.time(keyDestroyed), erasedTime: try Self.time(erased),
                agreementVersion: agreementVersion, policyVersion: policyVersion, retentionDays: retentionDays,
                keyCopiesUntil: try Self.optionalTime(keyCopiesUntil), regions: try regions())
        }

        private func restoreNote() throws(CertificateProblem.Reason) -> RestoreNote? {
            guard let restored else { return nil }
            guard let note = restored.note else { throw .statementUnreadable }
            return note
        }

        /// Somebody may have asked only where the erasure was not automatic.
        private func requester() throws(CertificateProblem.Reason) -> ErasureRequester? {
            guard let by else {
                guard instruction == nil else { throw .statementUnreadable }
                return nil
            }
            guard trigger == .manual,
                let requester = ErasureRequester(name: by, instruction: instruction)
            else { throw .statementUnreadable }
            return requester
        }

        /// What else it says of regions is caught by the canonical spelling.
        private func regions() throws(CertificateProblem.Reason) -> DeclaredRegions {
            guard let declaredRegions else { return DeclaredRegions() }
            return DeclaredRegions(
                chat: try Self.region(declaredRegions["chat"]), retention: try Self.region(declaredRegions["retention"])
            )
        }

        private static func region(_ text: String?) throws(CertificateProblem.Reason) -> Region? {
            guard let text else { return nil }
            do throws(Region.Problem) { return try Region(text) } catch { throw .statementUnreadable }
        }

        private static func optionalTime(_ text: String?) throws(CertificateProblem.Reason) -> Date? {
            guard let text else { return nil }
            return try time(text)
        }

        private static func time(_ text: String) throws(CertificateProblem.Reason) -> Date {
            guard let date = LedgerTime.date(text: text) else { throw .statementUnreadable }
            return date
        }
    }
}

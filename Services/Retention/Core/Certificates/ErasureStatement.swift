package import Foundation

/// What a certificate attests: that a session's content was erased, when, how and under which rules. No content.
package struct ErasureStatement: Sendable, Equatable {
    package static let format = "samtal-erasure-certificate"
    /// Those before it were of no release, and are not read.
    package static let version = 4
    /// The `previous` of the first certificate of a ledger.
    package static let noPrevious = String(repeating: "0", count: 64)
    /// From 1, without gaps.
    package var sequence: Int64
    /// Hex SHA-256 of the certificate before: its statement followed by its signature.
    package var previous: String
    package var organisationID: String
    package var sessionID: String
    package var trigger: ErasureTrigger
    /// Nil when nobody asked, or when it is not on record who did.
    package var requester: ErasureRequester?
    /// What was seen, and how much there was.
    package var evidence: ErasureEvidence
    /// When the session ended and when it was due; nil for a session that was erased as a draft.
    package var endTime: Date?
    package var deadline: Date?
    package var keyDestroyedTime: Date
    /// The later of chat's time and retention's.
    package var erasedTime: Date
    package var agreementVersion: Int64
    package var policyVersion: Int64
    package var retentionDays: Int64
    /// Where the session was kept, as the operator declared; empty where that is not on record.
    package var regions: DeclaredRegions

    package init(
        sequence: Int64, previous: String, organisationID: String, sessionID: String, trigger: ErasureTrigger,
        requester: ErasureRequester? = nil, evidence: ErasureEvidence,
        endTime: Date?, deadline: Date?,
        keyDestroyedTime: Date, erasedTime: Date, agreementVersion: Int64, policyVersion: Int64, retentionDays: Int64,
        regions: DeclaredRegions = DeclaredRegions()
    ) {
        self.sequence = sequence
        self.previous = previous
        self.organisationID = organisationID
        self.sessionID = sessionID
        self.trigger = trigger
        self.requester = requester
        self.evidence = evidence
        self.endTime = endTime
        self.deadline = deadline
        self.keyDestroyedTime = keyDestroyedTime
        self.erasedTime = erasedTime
        self.agreementVersion = agreementVersion
        self.policyVersion = policyVersion
        self.retentionDays = retentionDays
        self.regions = regions
    }

    /// The text that is signed (RFC 8785).
    package var canonicalText: String {
        var members: [String: CanonicalJSON] = [
            "agreement_version": .integer(agreementVersion),
            "evidence": evidence.members,
            "erased": .string(LedgerTime.text(erasedTime)),
            "format": .string(Self.format),
            "key_destroyed": .string(LedgerTime.text(keyDestroyedTime)),
            "organisation": .string(organisationID),
            "policy_version": .integer(policyVersion),
            "previous": .string(previous),
            "retention_days": .integer(retentionDays),
            "sequence": .integer(sequence),
            "session": .string(sessionID),
            "trigger": .string(trigger.rawValue),
            "version": .integer(Int64(Self.version)),
        ]
        members["counts"] = evidence.content.counts.map { counts in
            .object([
                "answers": .integer(counts.answers), "events": .integer(counts.events),
                "questions": .integer(counts.questions),
            ])
        }
        members["by"] = requester.map { .string($0.name) }
        members["instruction"] = (requester?.instruction).map { .string($0.text) }
        members["declared_regions"] = regions.members
        members["deadline"] = deadline.map { .string(LedgerTime.text($0)) }
        members["ended"] = endTime.map { .string(LedgerTime.text($0)) }
        return CanonicalJSON.object(members).text
    }
}

package import Foundation

/// What a certificate attests: that a session's content was erased, when, how and under which rules. No content.
package struct ErasureStatement: Sendable, Equatable {
    package static let format = "samtal-erasure-certificate"
    /// Those before it were of no release, and are not read.
    package static let version = 6
    /// The `previous` of the first certificate of a ledger.
    package static let noPrevious = String(repeating: "0", count: 64)
    /// A number that every JSON reader holds exactly.
    package static let largestSequence = CanonicalJSON.largestInteger - 1
    /// From 1; without gaps, but for those that `gapAfter` names.
    package var sequence: Int64
    /// Hex SHA-256 of the certificate before, of those that the ledger has: its statement followed by its signature.
    package var previous: String
    /// The number of the certificate before, where that is not the number before: what is between was written by this
    /// ledger, and lost with the folder that held it. Nil where nothing is missing.
    package var gapAfter: Int64?
    /// That the ledger's folder was an older one, since the certificate before; nil where it was not.
    package var restored: RestoreNote?
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
    /// When the last copy of session keys is to be gone that was on record; nil where none was to exist any more.
    package var keyCopiesUntil: Date?
    /// Where the session was kept, as the operator declared; empty where that is not on record.
    package var regions: DeclaredRegions

    package init(
        sequence: Int64, previous: String, gapAfter: Int64? = nil, restored: RestoreNote? = nil,
        organisationID: String, sessionID: String, trigger: ErasureTrigger,
        requester: ErasureRequester? = nil, evidence: ErasureEvidence,
        endTime: Date?, deadline: Date?,
        keyDestroyedTime: Date, erasedTime: Date, agreementVersion: Int64, policyVersion: Int64, retentionDays: Int64,
        keyCopiesUntil: Date? = nil, regions: DeclaredRegions = DeclaredRegions()
    ) {
        self.sequence = sequence
        self.previous = previous
        self.gapAfter = gapAfter
        self.restored = restored
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
        self.keyCopiesUntil = keyCopiesUntil
        self.regions = regions
    }

    /// Whether it is the next of a ledger that has come to this.
    package func follows(_ head: LedgerHead) -> Bool {
        (gapAfter ?? sequence - 1) == head.sequence && previous == head.hash
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
        members["gap_after"] = gapAfter.map { .integer($0) }
        members["key_copies_until"] = keyCopiesUntil.map { .string(LedgerTime.text($0)) }
        members["restored"] = restored?.members
        members["by"] = requester.map { .string($0.name) }
        members["instruction"] = (requester?.instruction).map { .string($0.text) }
        members["declared_regions"] = regions.members
        members["deadline"] = deadline.map { .string(LedgerTime.text($0)) }
        members["ended"] = endTime.map { .string(LedgerTime.text($0)) }
        return CanonicalJSON.object(members).text
    }
}

package import Foundation

/// What a certificate attests: that a session's content was erased, when, how and under which rules. No content.
package struct ErasureStatement: Sendable, Equatable {
    package static let format = "samtal-erasure-certificate"
    /// What is written now. Version 1 did not say who asked for an erasure, version 2 not where the session was kept; both
    /// are still read.
    package static let version = 3
    static let readableVersions = 1...version
    /// The `previous` of the first certificate of a ledger.
    package static let noPrevious = String(repeating: "0", count: 64)
    /// What is done, in this order, before a certificate is written.
    package static let method = ["key-destroyed", "rows-deleted", "files-vacuumed"]

    package var version = Self.version
    /// From 1, without gaps.
    package var sequence: Int64
    /// Hex SHA-256 of the certificate before: its statement followed by its signature.
    package var previous: String
    package var organisationID: String
    package var sessionID: String
    package var trigger: ErasureTrigger
    /// Nil when nobody asked, or when it is not on record who did.
    package var requester: ErasureRequester?
    package var method: [String]
    package var counts: ErasedCounts
    /// When the session ended and when it was due; nil for a session that was erased as a draft.
    package var endTime: Date?
    package var deadline: Date?
    package var keyDestroyedTime: Date
    package var erasedTime: Date
    package var agreementVersion: Int64
    package var policyVersion: Int64
    package var retentionDays: Int64
    /// Where the session was kept, as the operator declared; empty where that is not on record.
    package var regions: DeclaredRegions

    package init(
        sequence: Int64, previous: String, organisationID: String, sessionID: String, trigger: ErasureTrigger,
        requester: ErasureRequester? = nil, method: [String] = ErasureStatement.method, counts: ErasedCounts,
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
        self.method = method
        self.counts = counts
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
            "counts": .object([
                "answers": .integer(counts.answers),
                "events": .integer(counts.events),
                "questions": .integer(counts.questions),
            ]),
            "erased": .string(LedgerTime.text(erasedTime)),
            "format": .string(Self.format),
            "key_destroyed": .string(LedgerTime.text(keyDestroyedTime)),
            "method": .array(method.map { .string($0) }),
            "organisation": .string(organisationID),
            "policy_version": .integer(policyVersion),
            "previous": .string(previous),
            "retention_days": .integer(retentionDays),
            "sequence": .integer(sequence),
            "session": .string(sessionID),
            "trigger": .string(trigger.rawValue),
            "version": .integer(Int64(version)),
        ]
        members["by"] = requester.map { .string($0.name) }
        members["instruction"] = (requester?.instruction).map { .string($0.text) }
        members["declared_regions"] = regions.members
        members["deadline"] = deadline.map { .string(LedgerTime.text($0)) }
        members["ended"] = endTime.map { .string(LedgerTime.text($0)) }
        return CanonicalJSON.object(members).text
    }
}

/// For how many days after its end an organisation keeps a session.
package struct Policy: Sendable, Equatable {
    package var organisationID: String
    /// 0 to the agreement's cap.
    package var retentionDays: Int
    /// From 1.
    package var version: Int64
    /// The agreement it was checked against.
    package var agreementVersion: Int64

    package init(organisationID: String, retentionDays: Int, version: Int64, agreementVersion: Int64) {
        self.organisationID = organisationID
        self.retentionDays = retentionDays
        self.version = version
        self.agreementVersion = agreementVersion
    }

    /// The policy that holds until an organisation sets one: as long as the agreement allows.
    package static func initial(for agreement: Agreement) -> Policy {
        Policy(
            organisationID: agreement.organisationID, retentionDays: agreement.capDays, version: 1,
            agreementVersion: agreement.version)
    }

    /// The next version, under the agreement; the same policy when nothing changes.
    ///
    /// - Throws: `RetentionError.invalidField` when the agreement does not allow so many days.
    package func setting(retentionDays days: Int, under agreement: Agreement) throws(RetentionError) -> Policy {
        guard (0...agreement.capDays).contains(days) else {
            throw .invalidField("retention_days", "must be 0 to \(agreement.capDays), the cap of the agreement")
        }
        guard days != retentionDays else { return self }
        return Policy(
            organisationID: organisationID, retentionDays: days, version: version + 1,
            agreementVersion: agreement.version)
    }

    /// What becomes of the policy when a new agreement is recorded: a lower cap lowers it, for new sessions; a higher
    /// one leaves it. Sessions that there are follow when the controller has confirmed it.
    package func adopting(_ agreement: Agreement) -> Policy {
        guard agreement.capDays < retentionDays else { return self }
        return Policy(
            organisationID: organisationID, retentionDays: agreement.capDays, version: version + 1,
            agreementVersion: agreement.version)
    }
}

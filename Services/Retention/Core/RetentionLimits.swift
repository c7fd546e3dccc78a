/// Every bound on what one organisation may keep here.
package struct RetentionLimits: Sendable, Equatable {
    /// Sessions of one organisation that are not erased yet. Shortening its retention time goes through all of them in one
    /// transaction, which others wait for.
    package var sessionsPerOrganisation = 10_000
    /// Versions of one organisation's policy on record. Those that no session refers to make room for more.
    package var policiesPerOrganisation = 1000
    /// Versions of one organisation's agreement on record. All are kept, as evidence.
    package var agreementsPerOrganisation = 1000

    /// What the last two are called in errors and metrics.
    package static let policies = "policies-of-organisation"
    package static let agreements = "agreements-of-organisation"

    package init() {}
}

/// Every bound on what one organisation may keep here.
package struct RetentionLimits: Sendable, Equatable {
    /// Sessions of one organisation that are not erased yet. Shortening its retention time goes through all of them in one
    /// transaction, which others wait for.
    package var sessionsPerOrganisation = 10_000

    package init() {}
}

/// On whose behalf something is done to an organisation.
package enum Requester: Sendable, Equatable {
    /// Whoever runs the service: the processor.
    case `operator`
    /// An administrator of the organisation; the id is nil where they were removed since.
    case administrator(id: String?)
}

extension Organisation {
    /// The operator sets an organisation up. From the first sign-in on its administrators decide who they are: an operator
    /// who could add one, or remove those who look, could let anybody in.
    /// - Throws: `administratorsOnly`.
    package func requireDecision(of requester: Requester) throws(IdentityError) {
        if requester == .operator, firstSignInTime != nil { throw .administratorsOnly }
    }
}

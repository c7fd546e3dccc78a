/// Why identity refuses something. The server maps each code to one RPC status; nothing here is personal data.
package struct IdentityError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable, CaseIterable {
        case invalidField
        case emailInUse
        case organisationNotFound
        case administratorNotFound
        /// An organisation without an administrator could never be served again.
        case lastAdministrator
        /// The code is unknown, used, replaced or expired; which of them is not told.
        case signInCodeRefused
        /// The token is unknown, used, revoked or expired; which of them is not told.
        case refreshTokenRefused
    }

    package var code: Code
    /// The request's field in the contract's spelling, "" if the refusal concerns no single field.
    package var field: String
    /// Safe to show to whoever called.
    package var message: String

    package init(_ code: Code, field: String = "", _ message: String) {
        self.code = code
        self.field = field
        self.message = message
    }

    package static func invalid(_ field: String, _ reason: String) -> IdentityError {
        IdentityError(.invalidField, field: field, reason)
    }

    package static let emailInUse = IdentityError(.emailInUse, field: "email", "already belongs to an administrator")
    package static let organisationNotFound = IdentityError(.organisationNotFound, "organisation: not found")
    package static let administratorNotFound = IdentityError(.administratorNotFound, "administrator: not found")
    package static let lastAdministrator = IdentityError(
        .lastAdministrator, "the organisation's last administrator can't be removed; add another first")
    package static let signInCodeRefused = IdentityError(.signInCodeRefused, "the sign-in code is not valid")
    package static let refreshTokenRefused = IdentityError(.refreshTokenRefused, "the refresh token is not valid")
}

package import Foundation

/// Why identity refuses something. The server maps each code to one RPC status; nothing here is personal data.
package struct IdentityError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable, CaseIterable {
        case invalidField
        case emailInUse
        case organisationNotFound
        case administratorNotFound
        /// An organisation without an administrator could never be served again.
        case lastAdministrator
        /// The operator may not, since an administrator of the organisation has signed in.
        case administratorsOnly
        case tooManyAdministrators
        case tooManySignInCodes
        /// There is no such code on the organisation's record.
        case signInCodeNotFound
        /// The code was used, replaced, or has expired.
        case signInCodeEnded
        /// The code is right, and works later.
        case signInCodeNotYetUsable
        /// The code is unknown, used, replaced, revoked or expired; which of them is not told.
        case signInCodeRefused
        /// The token is unknown, used, revoked or expired; which of them is not told.
        case refreshTokenRefused
    }

    package var code: Code
    /// The request's field in the contract's spelling, "" if the refusal concerns no single field.
    package var field: String
    /// Safe to show to whoever called.
    package var message: String
    /// The bound that was reached, if that is why.
    package var bound: String?

    package init(_ code: Code, field: String = "", _ message: String, bound: String? = nil) {
        self.code = code
        self.field = field
        self.message = message
        self.bound = bound
    }

    package static func invalid(_ field: String, _ reason: String) -> IdentityError {
        IdentityError(.invalidField, field: field, reason)
    }

    package static let emailInUse = IdentityError(.emailInUse, field: "email", "already belongs to an administrator")
    package static let organisationNotFound = IdentityError(.organisationNotFound, "organisation: not found")
    package static let administratorNotFound = IdentityError(.administratorNotFound, "administrator: not found")
    package static let lastAdministrator = IdentityError(
        .lastAdministrator, "the organisation's last administrator can't be removed; add another first")
    package static let administratorsOnly = IdentityError(
        .administratorsOnly,
        "an administrator of the organisation has signed in; from then on its administrators do this, not the operator")
    package static let signInCodeNotFound = IdentityError(.signInCodeNotFound, "sign-in code: not found")
    package static let signInCodeEnded = IdentityError(
        .signInCodeEnded, "the sign-in code was used or replaced, or has expired")

    package static func tooManyAdministrators(most: Int) -> IdentityError {
        IdentityError(
            .tooManyAdministrators, "the organisation has as many administrators as it may, \(most)",
            bound: IdentityLimits.administrators)
    }

    package static func tooManySignInCodes(bound: String, most: Int) -> IdentityError {
        IdentityError(
            .tooManySignInCodes, "as many sign-in codes as may be are on record for the organisation, \(most)",
            bound: bound)
    }

    package static func signInCodeNotYetUsable(_ time: Date) -> IdentityError {
        IdentityError(.signInCodeNotYetUsable, "the sign-in code works from \(time.formatted(.iso8601)) on")
    }
    package static let signInCodeRefused = IdentityError(.signInCodeRefused, "the sign-in code is not valid")
    package static let refreshTokenRefused = IdentityError(.refreshTokenRefused, "the refresh token is not valid")
}

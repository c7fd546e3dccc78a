internal import IdentityCore
internal import RPC
internal import ServiceKit
internal import Storage
internal import StorageStatus

/// The one place where identity's errors become statuses. The reasons are part of the contract.
extension RPCError {
    init(_ error: IdentityError) {
        self =
            switch error.code {
            case .invalidField: .invalid(error.field, error.message)
            case .emailInUse:
                RPCError(
                    .alreadyExists, "\(error.field): \(error.message)", reason: "EMAIL_IN_USE",
                    fields: [.init(field: error.field, reason: error.message)])
            case .organisationNotFound: RPCError(.notFound, error.message, reason: "ORGANISATION_NOT_FOUND")
            case .administratorNotFound: RPCError(.notFound, error.message, reason: "ADMINISTRATOR_NOT_FOUND")
            case .lastAdministrator:
                RPCError(.failedPrecondition, error.message, reason: "LAST_ADMINISTRATOR")
            case .administratorsOnly:
                RPCError(.failedPrecondition, error.message, reason: "ADMINISTRATORS_ONLY")
            case .tooManyAdministrators: Self.reached(error, "TOO_MANY_ADMINISTRATORS")
            case .tooManySignInCodes: Self.reached(error, "TOO_MANY_SIGN_IN_CODES")
            case .signInCodeNotFound: RPCError(.notFound, error.message, reason: "SIGN_IN_CODE_NOT_FOUND")
            case .signInCodeEnded: RPCError(.failedPrecondition, error.message, reason: "SIGN_IN_CODE_ENDED")
            case .signInCodeNotYetUsable:
                RPCError(.unauthenticated, error.message, reason: "SIGN_IN_CODE_NOT_YET_USABLE")
            case .signInCodeRefused: RPCError(.unauthenticated, error.message, reason: "SIGN_IN_CODE_INVALID")
            case .refreshTokenRefused: RPCError(.unauthenticated, error.message, reason: "REFRESH_TOKEN_INVALID")
            }
    }

    private static func reached(_ error: IdentityError, _ reason: String) -> RPCError {
        RPCError(
            .resourceExhausted, error.message, reason: reason, metadata: [boundKey: error.bound ?? ""])
    }
}

/// Runs what may be refused by a rule.
func translatingErrors<Value>(_ body: () throws(IdentityError) -> Value) throws(RPCError) -> Value {
    do throws(IdentityError) {
        return try body()
    } catch {
        throw RPCError(error)
    }
}

/// Runs what may be refused by a rule or by the store.
func translatingErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as IdentityError {
        throw RPCError(error)
    } catch let error as StorageError {
        throw RPCError(error, of: "identity") ?? error
    }
}

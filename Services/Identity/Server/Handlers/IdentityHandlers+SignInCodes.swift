internal import Contracts
internal import Foundation
internal import IdentityCore
internal import Logging
internal import Privacy
internal import RPC
internal import ServiceKit

/// The codes that administrators sign in with: made, listed and revoked.
extension IdentityHandlers {
    func createSignInCode(
        _ request: IdentityV1.CreateSignInCodeRequest, call: ServerCall
    ) async throws -> IdentityV1.SignInCode {
        let email = try Self.emailAddress(request.email)
        let maker = try Self.requester(of: call)
        let organisationID = try Self.organisationOfCode(request.organisationID, of: call)
        let instruction =
            request.instruction.isEmpty
            ? ""
            : try FieldCheck.text(
                request.instruction, field: "instruction", min: IssuedSignInCode.instructionCharacters.lowerBound,
                max: IssuedSignInCode.instructionCharacters.upperBound)
        var generator = SystemRandomNumberGenerator()
        let code = SignInCode.random(using: &generator)
        let now = clock.confirmed()
        let recorded = try await counted {
            try await store.issue(
                code, id: Identifier.random(prefix: "code-"), to: email, in: organisationID, by: maker,
                instruction: instruction, at: now)
        }
        if maker == .operator { logger.notice("the operator made a sign-in code") }
        var answer = IdentityV1.SignInCode(recorded, at: now)
        answer.code = code.text
        return answer
    }

    func listSignInCodes(
        _ request: IdentityV1.ListSignInCodesRequest, call: ServerCall
    ) async throws -> IdentityV1.ListSignInCodesResponse {
        let organisationID = try Self.organisationID(request.organisationID, of: call)
        let page = try PageRequest(size: request.pageSize, token: request.pageToken)
        let now = clock.confirmed()
        let found = try await translatingErrors {
            try await store.signInCodes(of: organisationID, after: page.position, limit: page.fetchLimit)
        }
        let (shown, next) = page.cut(found) { ListPosition(createTime: $0.code.createTime, id: $0.code.id) }
        return .init(signInCodes: shown.map { .init($0, at: now) }, nextPageToken: next)
    }

    func revokeSignInCode(
        _ request: IdentityV1.RevokeSignInCodeRequest, call: ServerCall
    ) async throws -> IdentityV1.SignInCode {
        let organisationID = try Self.organisationID(request.organisationID, of: call)
        let id = try FieldCheck.identifier(request.signInCodeID, field: "sign_in_code_id")
        let now = clock.confirmed()
        let recorded = try await translatingErrors {
            try await store.revokeSignInCode(id, of: organisationID, at: now)
        }
        return .init(recorded, at: now)
    }

    /// The organisation that a code may be made in: an administrator's own; nil: for the operator, any.
    private static func organisationOfCode(_ text: String, of call: ServerCall) throws(RPCError) -> String? {
        if !text.isEmpty { return try organisationID(text, of: call) }
        if case .administrator(_, let own) = call.principal { return own }
        return nil
    }
}

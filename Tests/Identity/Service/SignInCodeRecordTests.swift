import Contracts
import Foundation
import IdentityCore
import Privacy
import RPC
import ServiceKit
import Testing

/// The operator is a processor: it must not get at what an organisation's administrators can read.
@Suite("Who makes sign-in codes, and who sees that")
struct SignInCodeRecordTests {
    private static let administratorsOnly = Refusal(code: .failedPrecondition, reason: "ADMINISTRATORS_ONLY")
    private static let notYet = Refusal(code: .unauthenticated, reason: "SIGN_IN_CODE_NOT_YET_USABLE")
    private static let notAllowed = Refusal(code: .permissionDenied, reason: "ROLE_NOT_ALLOWED")
    private let day: TimeInterval = 86_400

    private func recovery(
        _ identity: RunningIdentity, instruction: String = "Case 2026/17"
    ) async throws -> IdentityV1.SignInCode {
        try await identity.client.createSignInCode(
            .init(email: "karin@example.se", instruction: instruction), options: RunningIdentity.asOperator)
    }

    /// The organisation's codes, as one of its administrators sees them.
    private func codes(
        _ identity: RunningIdentity, as signedIn: IdentityV1.SignInResponse, size: UInt32 = 0, page: String = ""
    ) async throws -> IdentityV1.ListSignInCodesResponse {
        try await identity.client.listSignInCodes(
            .init(
                organisationID: signedIn.administrator?.organisationID ?? "", pageSize: size, pageToken: page),
            options: RunningIdentity.asAdministrator(signedIn))
    }

    @Test("the operator alone can neither sign in nor refresh")
    func operatorDoesNotSignIn() async throws {
        try await RunningIdentity.with { identity in
            _ = try await identity.administrator(of: identity.organisation())
            let code = try await identity.code(for: "karin@example.se")
            let options = RunningIdentity.asOperator
            #expect(
                try await refusal { try await identity.client.signIn(.init(code: code), options: options) }
                    == Self.notAllowed)
            let signedIn = try await identity.signIn(code)
            #expect(
                try await refusal {
                    try await identity.client.refreshTokens(
                        .init(refreshToken: signedIn.refreshToken), options: options)
                } == Self.notAllowed)
        }
    }

    @Test("the first sign-in ends every other code that the operator made while setting the organisation up")
    func setUpEnds() async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            _ = try await identity.administrator(of: organisation)
            _ = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
            let (first, second) = (
                try await identity.code(for: "karin@example.se"), try await identity.code(for: "bo@example.se")
            )
            let signedIn = try await identity.signIn(first)
            #expect(try await refusal { try await identity.signIn(second) }?.code == .unauthenticated)
            let states = try await codes(identity, as: signedIn).signInCodes.map(\.state)
            #expect(Set(states) == [.used, .replaced])
        }
    }

    @Test("from the first sign-in on, the operator makes no code, adds nobody and removes nobody")
    func setUpIsOver() async throws {
        try await RunningIdentity.with { identity in
            let organisation = try await identity.organisation()
            let karin = try await identity.administrator(of: organisation)
            let bo = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
            let options = RunningIdentity.asOperator
            func remove(_ administrator: IdentityV1.Administrator) async throws -> Refusal? {
                try await refusal {
                    try await identity.client.removeAdministrator(
                        .init(
                            organisationID: organisation.organisationID,
                            administratorID: administrator.administratorID),
                        options: options)
                }
            }
            // Until then it sets the organisation up, as often as it takes.
            _ = try await identity.client.createSignInCode(.init(email: "bo@example.se"), options: options)
            #expect(try await remove(bo) == nil)
            let code = try await identity.client.createSignInCode(.init(email: "karin@example.se"), options: options)
            _ = try await identity.signIn(code.code)

            for email in ["karin@example.se", "KARIN@example.se"] {
                #expect(
                    try await refusal {
                        try await identity.client.createSignInCode(.init(email: email), options: options)
                    } == Self.administratorsOnly)
            }
            #expect(
                try await refusal {
                    try await identity.client.addAdministrator(
                        .init(
                            organisationID: organisation.organisationID, email: "mallory@example.org",
                            displayName: "M"),
                        options: options)
                } == Self.administratorsOnly)
            #expect(try await remove(karin) == Self.administratorsOnly)
            // It is by organisation: another one is set up as before.
            _ = try await identity.administrator("eva@example.org", of: identity.organisation("Example Bank"))
            _ = try await identity.client.createSignInCode(.init(email: "eva@example.org"), options: options)
        }
    }

    @Test("administrators make codes for their own organisation, and all of it is on record, without the codes")
    func onRecord() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            let own = try #require(karin.administrator)
            let organisation = IdentityV1.Organisation(organisationID: own.organisationID)
            let bo = try await identity.administrator("bo@example.se", name: "Bo Ek", of: organisation)
            identity.clock.advance(by: 1)
            let made = try await identity.client.createSignInCode(
                .init(email: "bo@example.se"), options: RunningIdentity.asAdministrator(karin))
            #expect(made.maker == .administrator && made.madeBy == own && made.administrator == bo)
            let bos = try await identity.signIn(made.code)
            for signedIn in [karin, bos] {
                let codes = try await codes(identity, as: signedIn).signInCodes
                #expect(codes.map(\.maker) == [.administrator, .operator])
                #expect(codes.map(\.state) == [.used, .used])
                #expect(codes.map(\.madeBy) == [own, nil])
                #expect(codes.map(\.administrator) == [bo, own])
                #expect(codes.allSatisfy { $0.code.isEmpty && $0.endTime != nil && $0.createTime != nil })
            }
            // Pages of one go on where the last ended.
            let first = try await codes(identity, as: karin, size: 1)
            let second = try await codes(identity, as: karin, size: 1, page: first.nextPageToken)
            #expect(first.signInCodes.map(\.maker) == [.administrator])
            #expect(second.signInCodes.map(\.maker) == [.operator] && second.nextPageToken.isEmpty)

            // Another organisation's administrators see none of it, and get no code for anybody in it.
            let other = try await identity.signedIn("eva@example.org", organisation: "Example Bank")
            #expect(try await codes(identity, as: other).signInCodes.count == 1)
            let options = RunningIdentity.asAdministrator(other)
            #expect(
                try await refusal {
                    try await identity.client.createSignInCode(.init(email: "bo@example.se"), options: options)
                } == Refusal(code: .notFound, reason: "ADMINISTRATOR_NOT_FOUND"))
            #expect(
                try await refusal {
                    try await identity.client.createSignInCode(
                        .init(email: "eva@example.org", organisationID: own.organisationID), options: options)
                } == .organisationNotFound)
            #expect(
                try await refusal {
                    try await identity.client.listSignInCodes(
                        .init(organisationID: own.organisationID), options: options)
                } == .organisationNotFound)
            #expect(
                try await refusal {
                    try await identity.client.revokeSignInCode(
                        .init(
                            organisationID: other.administrator?.organisationID ?? "",
                            signInCodeID: made.signInCodeID),
                        options: options)
                } == Refusal(code: .notFound, reason: "SIGN_IN_CODE_NOT_FOUND"))
        }
    }

    @Test("a code that the operator makes on an instruction works a day later, and is seen meanwhile")
    func recovered() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            identity.clock.advance(by: 1)
            let code = try await recovery(identity)
            #expect(code.state == .notYetUsable)
            #expect(code.usableTime?.date == code.createTime?.date.addingTimeInterval(day))
            #expect(try await refusal { try await identity.signIn(code.code) } == Self.notYet)
            let seen = try #require(try await codes(identity, as: karin).signInCodes.first)
            #expect(seen.maker == .operator && seen.instruction == "Case 2026/17" && seen.state == .notYetUsable)

            identity.clock.advance(by: day)
            _ = try await identity.signIn(code.code)
            #expect(try await refusal { try await identity.signIn(code.code) } == .codeInvalid)
        }
    }

    @Test("any administrator revokes such a code before it works, and then it never does")
    func revoked() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            let own = try #require(karin.administrator)
            _ = try await identity.administrator(
                "bo@example.se", name: "Bo Ek", of: .init(organisationID: own.organisationID))
            let bo = try await identity.signIn(identity.code(for: "bo@example.se"))
            let code = try await recovery(identity)
            func revoke() async throws -> IdentityV1.SignInCode {
                try await identity.client.revokeSignInCode(
                    .init(organisationID: own.organisationID, signInCodeID: code.signInCodeID),
                    options: RunningIdentity.asAdministrator(bo))
            }
            let revoked = try await revoke()
            #expect(revoked.state == .revoked && revoked.endTime != nil && revoked.code.isEmpty)
            #expect(try await revoke() == revoked)
            identity.clock.advance(by: day)
            #expect(try await refusal { try await identity.signIn(code.code) } == .codeInvalid)
            let used = try #require(
                try await codes(identity, as: identity.refreshed(karin)).signInCodes.first { $0.state == .used })
            #expect(
                try await refusal {
                    try await identity.client.revokeSignInCode(
                        .init(organisationID: own.organisationID, signInCodeID: used.signInCodeID),
                        options: RunningIdentity.asOperator)
                } == Refusal(code: .failedPrecondition, reason: "SIGN_IN_CODE_ENDED"))
        }
    }

    @Test("what an instruction may not be is refused with the field")
    func instruction() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            for text in [" ", "\u{2800}", String(repeating: "a", count: 201), "a\u{0}"] {
                let refused = try await refusal { try await recovery(identity, instruction: text) }
                #expect(refused == .invalid("instruction"))
            }
            #expect(
                try await refusal {
                    try await identity.client.createSignInCode(
                        .init(email: "karin@example.se", instruction: "Case 1"),
                        options: RunningIdentity.asAdministrator(karin))
                } == .invalid("instruction"))
        }
    }

    @Test("the record outlives who it names: a code used by somebody who was removed stays listed, without them")
    func removed() async throws {
        try await RunningIdentity.with { identity in
            let karin = try await identity.signedIn()
            let own = try #require(karin.administrator)
            let bo = try await identity.administrator(
                "bo@example.se", name: "Bo Ek", of: .init(organisationID: own.organisationID))
            _ = try await identity.signIn(identity.code(for: "bo@example.se"))
            identity.clock.advance(by: 1)
            let waiting = try await identity.code(for: "bo@example.se")
            _ = try await identity.client.removeAdministrator(
                .init(organisationID: own.organisationID, administratorID: bo.administratorID),
                options: RunningIdentity.asAdministrator(karin))
            let left = try await codes(identity, as: karin).signInCodes
            #expect(left.map(\.state).sorted { $0.rawValue < $1.rawValue } == [.used, .used, .replaced])
            #expect(left.compactMap(\.administrator) == [own])
            #expect(try await refusal { try await identity.signIn(waiting) } == .codeInvalid)
        }
    }
}

@Suite("What one organisation may keep in identity")
struct IdentityBoundTests {
    private func refused(_ call: () async throws -> some Sendable) async throws -> RPCError? {
        do {
            _ = try await call()
            return nil
        } catch let error as RPCError {
            return error
        }
    }

    @Test("one administrator or code too many is refused by name and counted; another organisation goes on")
    func bounds() async throws {
        var limits = IdentityLimits(administratorsPerOrganisation: 3)
        limits.codesPerOrganisation = 2
        limits.operatorCodesPerOrganisation = 2
        let metrics = MetricsRegistry()
        let bounded = limits
        try await TemporaryFolder.with { folder in
            try await RunningIdentity.with(folder: folder, metrics: metrics, limits: bounded) { identity in
                let karin = try await identity.signedIn()
                let own = IdentityV1.Organisation(organisationID: try #require(karin.administrator).organisationID)
                for number in 1...2 { _ = try await identity.administrator("a\(number)@example.se", of: own) }
                let one = try await refused { try await identity.administrator("a3@example.se", of: own) }
                #expect(one?.code == .resourceExhausted && one?.reason == "TOO_MANY_ADMINISTRATORS")
                #expect(one?.metadata["bound"] == "administrators-of-organisation")

                for number in 1...2 { _ = try await identity.code(for: "a\(number)@example.se") }
                let code = try await refused { try await identity.code(for: "a1@example.se") }
                #expect(code?.code == .resourceExhausted && code?.reason == "TOO_MANY_SIGN_IN_CODES")
                #expect(code?.metadata["bound"] == "sign-in-codes-of-organisation")
                // The operator's have a bound of their own, so that recovery can't be used up by administrators.
                func recovery() async throws -> IdentityV1.SignInCode {
                    try await identity.client.createSignInCode(
                        .init(email: "karin@example.se", instruction: "Case 1"), options: RunningIdentity.asOperator)
                }
                _ = try await recovery()
                let operators = try await refused { try await recovery() }
                #expect(operators?.metadata["bound"] == "operator-sign-in-codes-of-organisation")

                _ = try await identity.signedIn("eva@example.org", organisation: "Example Bank")
            }
        }
        let text = metrics.text()
        for bound in IdentityLimits.names {
            #expect(text.contains("bound_refusals_total{bound=\"\(bound)\"} 1"), "\(bound)")
        }
    }
}

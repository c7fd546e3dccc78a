package import Contracts
import Foundation
package import RPC
import Synchronization

/// An organisation with an agreement and a signed-in administrator: what most tests begin with.
package struct TestOrganisation: Sendable {
    package var organisationID: String
    package var accessToken: String

    /// Call options of the administrator.
    package var administrator: CallOptions {
        CallOptions(metadata: ["authorization": "Bearer \(accessToken)"], timeout: .seconds(20))
    }

    package static func create(
        in samtal: RunningSamtal, name: String = "Exempelredaktionen", email: String = "anna@example.se"
    ) async throws -> TestOrganisation {
        let organisation = try await samtal.identity.createOrganisation(.init(displayName: name))
        _ = try await samtal.identity.addAdministrator(
            .init(organisationID: organisation.organisationID, email: email, displayName: "Anna Exempel"))
        _ = try await samtal.retention.recordAgreement(
            .init(
                organisationID: organisation.organisationID, kind: .standard, reference: "DPA-1",
                signedDate: "2026-01-15", capDays: 30))
        return try await signedIn(in: samtal, organisationID: organisation.organisationID, email: email)
    }

    /// An organisation that is there already, with its administrator signed in anew.
    package static func signedIn(
        in samtal: RunningSamtal, organisationID: String, email: String = "anna@example.se"
    ) async throws -> TestOrganisation {
        let tokens = try await samtal.signIn(email, organisationID: organisationID)
        return TestOrganisation(organisationID: organisationID, accessToken: tokens.accessToken)
    }

    /// A session that is open.
    package func openSession(in samtal: RunningSamtal, title: String = "Fråga experten") async throws -> String {
        let session = try await samtal.chat.createSession(.init(title: title), options: administrator)
        _ = try await samtal.chat.openSession(.init(sessionID: session.sessionID), options: administrator)
        return session.sessionID
    }
}

extension RunningSamtal {
    /// Signs an administrator in: the first of an organisation by a code of the operator's, each later one by a code that
    /// one who is signed in makes.
    package func signIn(_ email: String, organisationID: String) async throws -> IdentityV1.SignInResponse {
        let token = try await accessToken(of: organisationID)
        let options = CallOptions(
            metadata: token.map { ["authorization": "Bearer \($0)"] } ?? [:], timeout: .seconds(20))
        let code = try await identity.createSignInCode(
            .init(email: email, organisationID: organisationID), options: options)
        let tokens = try await identity.signIn(.init(code: code.code))
        signIns.withLock { $0[organisationID] = tokens }
        return tokens
    }

    /// The access token of whoever signed in last to an organisation, renewed if it is about to expire; nil: nobody has.
    package func accessToken(of organisationID: String) async throws -> String? {
        guard let kept = signIns.withLock({ $0[organisationID] }) else { return nil }
        guard let expiry = kept.accessTokenExpireTime?.date, expiry.timeIntervalSinceNow < 120 else {
            return kept.accessToken
        }
        let renewed = try await identity.refreshTokens(.init(refreshToken: kept.refreshToken))
        signIns.withLock { $0[organisationID] = renewed }
        return renewed.accessToken
    }

    /// What lets a command act for whoever signed in last: empty if nobody has.
    package func actingAdministrator(of organisationID: String? = nil) async throws -> [String: String] {
        guard let id = organisationID ?? signIns.withLock({ $0.keys.first }) else { return [:] }
        return try await accessToken(of: id).map { ["SAMTAL_ACCESS_TOKEN": $0] } ?? [:]
    }

    /// The link that `samtal sign-in-link` prints for an administrator of the one organisation there is.
    package func signInLink(_ email: String, url: String) async throws -> String {
        let printed = try await ChildProcess.run(
            "samtal", ["sign-in-link", email, "--url", url, "--data", data], environment: actingAdministrator())
        guard printed.status == 0, let link = printed.printed.split(whereSeparator: \.isWhitespace).first else {
            throw ChildProcessError.timedOut("samtal sign-in-link: \(printed.printed)")
        }
        return String(link)
    }

    /// Signs an administrator in for `samtal`, as a person would: the link that one command prints is another's input.
    package func signInCommandLine(as email: String, keeping file: String) async throws {
        let command = "\"$0\" sign-in-link \"$1\" --data \"$2\" | \"$0\" sign-in --data \"$2\" --token-file \"$3\""
        let ran = try await ChildProcess.run(
            "/bin/sh", ["-c", command, "\(ChildProcess.folder)/samtal", email, data, file],
            environment: actingAdministrator())
        guard ran.status == 0 else { throw ChildProcessError.timedOut("samtal sign-in: \(ran.printed)") }
    }

    /// Joins, and returns the call options of the participant.
    package func join(_ session: String, name: String = "") async throws -> CallOptions {
        let joined = try await chat.joinSession(.init(sessionID: session, displayName: name))
        return CallOptions(metadata: ["samtal-participant": joined.participantToken], timeout: .seconds(20))
    }
}

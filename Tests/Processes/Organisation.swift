import Contracts
package import RPC

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
        let code = try await samtal.identity.createSignInCode(.init(email: email))
        let tokens = try await samtal.identity.signIn(.init(code: code.code))
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
    /// Signs an administrator in for `samtal`, as a person would: the link that one command prints is another's input.
    package func signInCommandLine(as email: String, keeping file: String) async throws {
        let command = "\"$0\" sign-in-link \"$1\" --data \"$2\" | \"$0\" sign-in --data \"$2\" --token-file \"$3\""
        let ran = try await ChildProcess.run(
            "/bin/sh", ["-c", command, "\(ChildProcess.folder)/samtal", email, data, file])
        guard ran.status == 0 else { throw ChildProcessError.timedOut("samtal sign-in: \(ran.printed)") }
    }

    /// Joins, and returns the call options of the participant.
    package func join(_ session: String, name: String = "") async throws -> CallOptions {
        let joined = try await chat.joinSession(.init(sessionID: session, displayName: name))
        return CallOptions(metadata: ["samtal-participant": joined.participantToken], timeout: .seconds(20))
    }
}

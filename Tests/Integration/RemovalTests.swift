import Contracts
import Foundation
import RPC
import Synchronization
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("An administrator is removed, and every service knows")
struct RemovalTests {
    private func tokens(
        _ samtal: RunningSamtal, _ organisation: TestOrganisation, _ email: String, name: String
    ) async throws -> IdentityV1.SignInResponse {
        _ = try await samtal.identity.addAdministrator(
            .init(organisationID: organisation.organisationID, email: email, displayName: name),
            options: organisation.administrator)
        let code = try await samtal.identity.createSignInCode(
            .init(email: email), options: organisation.administrator)
        return try await samtal.identity.signIn(.init(code: code.code))
    }

    private func options(_ tokens: IdentityV1.SignInResponse) -> CallOptions {
        CallOptions(
            metadata: ["samtal-role": "backend", "authorization": "Bearer \(tokens.accessToken)"],
            timeout: .seconds(20))
    }

    /// Sends a request as a browser does.
    private func http(
        _ samtal: RunningSamtal, _ verb: String, _ path: String, token: String
    ) async throws -> (status: Int, body: String) {
        let url = try #require(URL(string: samtal.httpAddress() + path))
        var request = URLRequest(url: url)
        request.httpMethod = verb
        request.timeoutInterval = 60
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse).statusCode, String(decoding: data, as: UTF8.self))
    }

    /// Follows a session as a moderator until the feed ends.
    private final class Feed: Sendable {
        private let state = Mutex((caughtUp: false, end: RPCError?.none))

        var isCaughtUp: Bool { state.withLock { $0.caughtUp } }
        var end: RPCError? { state.withLock { $0.end } }

        func follow(_ session: String, _ chat: ChatV1.ChatServiceClient, _ options: CallOptions) async {
            var options = options
            // Until it is ended: the bound is the test's own.
            options.deadline = nil
            do {
                let events = chat.watchSession(.init(sessionID: session, audience: .moderators), options: options)
                for try await event in events {
                    if case .caughtUp = event.change { state.withLock { $0.caughtUp = true } }
                }
            } catch {
                let error = error as? RPCError
                state.withLock { $0.end = error }
            }
        }
    }

    @Test(
        "within seconds a removed administrator's token is refused everywhere and their feeds end; nobody else notices")
    func removed() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let other = try await TestOrganisation.create(in: samtal, name: "Byrån", email: "eva@example.org")
            let bo = try await tokens(samtal, organisation, "bo@example.se", name: "Bo Ek")
            let session = try await organisation.openSession(in: samtal)
            let others = try await other.openSession(in: samtal)
            let (bos, annas, evas) = (Feed(), Feed(), Feed())
            let chat = samtal.chat
            let following = [
                Task { await bos.follow(session, chat, options(bo)) },
                Task { await annas.follow(session, chat, organisation.administrator) },
                Task { await evas.follow(others, chat, other.administrator) },
            ]
            defer { for task in following { task.cancel() } }
            // And one through the gateway, as the page has it.
            async let page = http(
                samtal, "GET", "/v1/sessions/\(session)/events?audience=MODERATORS", token: bo.accessToken)
            try await eventually("all feeds are live") { [bos, annas, evas].allSatisfy(\.isCaughtUp) }
            #expect(try await http(samtal, "GET", "/v1/sessions", token: bo.accessToken).status == 200)

            let path = "/v1/organisations/\(organisation.organisationID)/administrators/"
            let id = try #require(bo.administrator).administratorID
            let foreign = try await http(samtal, "DELETE", path + id, token: other.accessToken)
            #expect(foreign.status == 404, "\(foreign.body)")
            let removed = try await http(samtal, "DELETE", path + id, token: organisation.accessToken)
            #expect(removed.status == 200, "\(removed.body)")
            // Identity at once, chat and retention when they next ask.
            #expect(try await http(samtal, "GET", String(path.dropLast()), token: bo.accessToken).status == 401)
            try await eventually("chat refuses the token") {
                try await http(samtal, "GET", "/v1/sessions", token: bo.accessToken).status == 401
            }
            let policy = "/v1/organisations/\(organisation.organisationID)/policy"
            try await eventually("retention refuses the token") {
                try await http(samtal, "GET", policy, token: bo.accessToken).status == 401
            }
            try await eventually("the feed ends") { bos.end != nil }
            #expect(bos.end?.reason == "SIGN_IN_ENDED")
            #expect(try await page.body.contains("caught-up"))

            #expect(annas.end == nil && evas.end == nil)
            #expect(try await http(samtal, "GET", "/v1/sessions", token: organisation.accessToken).status == 200)
            #expect(try await http(samtal, "GET", "/v1/sessions", token: other.accessToken).status == 200)
            let again = try await http(samtal, "DELETE", path + id, token: organisation.accessToken)
            #expect(again.status == 404 && again.body.contains("ADMINISTRATOR_NOT_FOUND"), "\(again.body)")
        }
    }

    @Test("the last administrator stays: 400 with its reason over HTTP, a sentence on the command line")
    func last() async throws {
        try await RunningSamtal.with([.identity, .gateway]) { samtal in
            let organisation = try await samtal.identity.createOrganisation(.init(displayName: "Exempelredaktionen"))
            let anna = try await samtal.identity.addAdministrator(
                .init(
                    organisationID: organisation.organisationID, email: "anna@example.se", displayName: "Anna Exempel"))
            let tokens = try await samtal.signIn("anna@example.se", organisationID: organisation.organisationID)
            let answer = try await http(
                samtal, "DELETE",
                "/v1/organisations/\(organisation.organisationID)/administrators/\(anna.administratorID)",
                token: tokens.accessToken)
            #expect(answer.status == 400 && answer.body.contains("LAST_ADMINISTRATOR"), "\(answer.body)")

            func remove(_ id: String, confirm: String) async throws -> (status: Int32, printed: String) {
                try await ChildProcess.run(
                    "samtal",
                    [
                        "administrator", "remove", organisation.organisationID, id, "--confirm", confirm, "--data",
                        samtal.data,
                    ], environment: samtal.actingAdministrator())
            }
            let alone = try await remove(anna.administratorID, confirm: anna.administratorID)
            #expect(alone.status == 1 && alone.printed.contains("last administrator"), "\(alone.printed)")
            let bo = try await samtal.identity.addAdministrator(
                .init(organisationID: organisation.organisationID, email: "bo@example.se", displayName: "Bo Ek"),
                options: options(tokens))
            let mistaken = try await remove(bo.administratorID, confirm: anna.administratorID)
            #expect(mistaken.status != 0 && mistaken.printed.contains("--confirm"), "\(mistaken.printed)")
            let removed = try await remove(bo.administratorID, confirm: bo.administratorID)
            #expect(removed.status == 0, "\(removed.printed)")
            let left = try await samtal.identity.listAdministrators(
                .init(organisationID: organisation.organisationID))
            #expect(left.administrators == [anna])
        }
    }

    @Test("signing out ends the access token at the services within seconds, and not the same person's other sign-in")
    func signOut() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let second = try await samtal.signIn("anna@example.se", organisationID: organisation.organisationID)
            _ = try await samtal.chat.listSessions(.init(), options: options(second))
            _ = try await samtal.identity.revokeTokens(.init(refreshToken: second.refreshToken))
            try await eventually("chat refuses the token") {
                do {
                    _ = try await samtal.chat.listSessions(.init(), options: options(second))
                    return false
                } catch let error as RPCError {
                    return error.reason == "SIGN_IN_ENDED"
                }
            }
            _ = try await samtal.chat.listSessions(.init(), options: organisation.administrator)
        }
    }
}

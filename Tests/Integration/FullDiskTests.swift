import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("A full disk", .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)))
struct FullDiskTests {
    private static let kilobytes = 1_400

    /// A kind of write, and the call of it.
    private typealias Write = (kind: String, call: () async throws -> Void)

    /// Every one of them is refused because the disk of `service` is full, and nothing else.
    private func expectFull(_ service: RunningSamtal.Service, _ writes: [Write]) async {
        for write in writes {
            var refusal: RPCError?
            // What is left of the file's last page may still take a write or two.
            for _ in 0..<20 where refusal == nil {
                do { try await write.call() } catch { refusal = error as? RPCError }
            }
            #expect(refusal?.code == .unavailable, "\(write.kind)")
            #expect(refusal?.reason == "STORE_FULL", "\(write.kind)")
            #expect(refusal?.message == "\(service.rawValue)'s disk is full", "\(write.kind)")
        }
    }

    /// That the log says why calls were refused.
    private func expectLogged(_ samtal: RunningSamtal, _ service: RunningSamtal.Service) {
        let lines = samtal.child(service)?.printed.split(separator: "\n") ?? []
        #expect(lines.contains { $0.contains(#""reason":"STORE_FULL""#) && $0.contains(#""code":"UNAVAILABLE""#) })
        #expect(!lines.contains { $0.contains(#""code":"INTERNAL""#) })
    }

    @Test("identity says that its disk is full, for each kind of write, and goes on when there is room")
    func identity() async throws {
        try await RunningSamtal.with([.identity, .retention], small: [.identity: Self.kilobytes]) { samtal in
            let identity = samtal.identity
            let organisation = try await TestOrganisation.create(in: samtal)
            let tokens = try await samtal.signIn("anna@example.se", organisationID: organisation.organisationID)
            let code = try await identity.createSignInCode(
                .init(email: "anna@example.se"), options: organisation.administrator
            ).code
            let disk = try #require(samtal.disk(.identity))
            try disk.fill()
            func name() -> String { "Exempel \(UInt32.random(in: .min ... .max))" }
            func address() -> String { "a\(UInt64.random(in: .min ... .max))@example.se" }
            await expectFull(
                .identity,
                [
                    (
                        "creating an organisation",
                        { _ = try await identity.createOrganisation(.init(displayName: name())) }
                    ),
                    (
                        "adding an administrator",
                        {
                            _ = try await identity.addAdministrator(
                                .init(
                                    organisationID: organisation.organisationID, email: address(), displayName: name()),
                                options: organisation.administrator)
                        }
                    ),
                    (
                        "making a sign-in code",
                        {
                            _ = try await identity.createSignInCode(
                                .init(email: "anna@example.se"), options: organisation.administrator)
                        }
                    ),
                ])
            expectLogged(samtal, .identity)
            let command = try await ChildProcess.run(
                "samtal", ["organisation", "create", "Exempelredaktionen", "--data", samtal.data])
            #expect(command.status == 1)
            #expect(command.printed.hasPrefix("Error: identity's disk is full. Make room"), "\(command.printed)")
            // What only reads goes on all the while.
            #expect(try await identity.listSigningKeys(.init()).keys.count == 1)

            // An administrator who is to erase has to get in; one who signed out stays out.
            _ = try await identity.signIn(.init(code: code))
            let next = try await identity.refreshTokens(.init(refreshToken: tokens.refreshToken))
            #expect(disk.free > 0)
            _ = try await identity.revokeTokens(.init(refreshToken: next.refreshToken))
            await expectStatus(.unauthenticated) {
                try await identity.refreshTokens(.init(refreshToken: next.refreshToken))
            }
            // What was kept for that is for nothing else.
            await expectFull(
                .identity,
                [("again", { _ = try await identity.createOrganisation(.init(displayName: name())) })])

            disk.makeRoom()
            try await eventually("what keeps more is stored again") {
                (try? await identity.createOrganisation(.init(displayName: name()))) != nil
            }
        }
    }

    @Test("chat says that its disk is full, for each kind of write, through the gateway and through retention too")
    func chat() async throws {
        try await RunningSamtal.with(small: [.chat: Self.kilobytes]) { samtal in
            let chat = samtal.chat
            let organisation = try await TestOrganisation.create(in: samtal)
            let options = organisation.administrator
            let session = try await organisation.openSession(in: samtal)
            let other = try await organisation.openSession(in: samtal)
            let draft = try await chat.createSession(.init(title: "Utkast"), options: options).sessionID
            let participant = try await samtal.join(session, name: "Eva Exempel")
            var questions: [String] = []
            for number in 0..<3 {
                let asked = try await chat.askQuestion(
                    .init(sessionID: session, text: "Hur?", requestID: "request-\(number)"), options: participant)
                questions.append(asked.questionID)
            }
            let disk = try #require(samtal.disk(.chat))
            try disk.fill()
            func request() -> String { "request-\(UInt64.random(in: .min ... .max))" }
            await expectFull(
                .chat,
                [
                    (
                        "asking",
                        {
                            _ = try await chat.askQuestion(
                                .init(sessionID: session, text: "När?", requestID: request()), options: participant)
                        }
                    ),
                    ("creating", { _ = try await chat.createSession(.init(title: "Fråga"), options: options) }),
                    ("opening", { _ = try await chat.openSession(.init(sessionID: draft), options: options) }),
                    (
                        "publishing",
                        {
                            _ = try await chat.publishQuestion(
                                .init(sessionID: session, questionID: questions[0]), options: options)
                        }
                    ),
                    (
                        "rejecting",
                        {
                            _ = try await chat.rejectQuestion(
                                .init(sessionID: session, questionID: questions[1]), options: options)
                        }
                    ),
                    (
                        "answering",
                        {
                            _ = try await chat.answerQuestion(
                                .init(
                                    sessionID: session, questionID: questions[2], text: "Så.", hostName: "",
                                    requestID: request()), options: options)
                        }
                    ),
                ])
            // What lets a session go is stored all the same.
            let ended = try await chat.endSession(.init(sessionID: other), options: options)
            #expect(ended.state == .ended)
            _ = try await chat.deleteQuestion(
                .init(sessionID: session, questionID: questions[0]), options: options)
            // Erasing needs no room: nothing is served at once, and the content is unlinked.
            _ = try await samtal.retention.eraseSession(
                .init(sessionID: draft, confirmSessionID: draft), options: options)
            #expect(try ByteSearch.files(under: samtal.data).allSatisfy { !$0.contains("\(draft).sqlite") })
            await expectStatus(.notFound) { try await chat.getSession(.init(sessionID: draft), options: options) }
            expectLogged(samtal, .chat)
            let (status, error) = try await post(
                samtal, "/v1/sessions", #"{"title":"Fråga"}"#, token: organisation.accessToken)
            #expect(status == 503)
            #expect(error["reason"] == "STORE_FULL" && error["message"] == "chat's disk is full")

            try disk.fill()
            let certificate = try await samtal.retention.eraseSession(
                .init(sessionID: other, confirmSessionID: other), options: options)
            #expect(!certificate.statement.isEmpty)
            disk.makeRoom()
            try await eventually("sessions are made again") {
                (try? await chat.createSession(.init(title: "Fråga"), options: options)) != nil
            }
        }
    }

    @Test("retention says that its disk is full, for each kind of write, and chat says whose disk it is")
    func retention() async throws {
        try await RunningSamtal.with(small: [.retention: Self.kilobytes + 1_100]) { samtal in
            let retention = samtal.retention
            let organisation = try await TestOrganisation.create(in: samtal)
            let options = organisation.administrator
            let session = try await organisation.openSession(in: samtal)
            _ = try await samtal.chat.endSession(.init(sessionID: session), options: options)
            let disk = try #require(samtal.disk(.retention))
            try disk.fill()
            await expectFull(
                .retention,
                [
                    (
                        "recording an agreement",
                        {
                            _ = try await retention.recordAgreement(
                                .init(
                                    organisationID: organisation.organisationID, kind: .standard, reference: "DPA-2",
                                    signedDate: "2026-01-15", capDays: 20))
                        }
                    ),
                    (
                        "creating a session, which chat is asked for",
                        { _ = try await samtal.chat.createSession(.init(title: "Fråga"), options: options) }
                    ),
                ])
            expectLogged(samtal, .retention)
            expectLogged(samtal, .chat)
            let (status, error) = try await post(
                samtal, "/v1/sessions", #"{"title":"Fråga"}"#, token: organisation.accessToken)
            #expect(status == 503)
            #expect(error["reason"] == "STORE_FULL" && error["message"] == "retention's disk is full")

            // What shortens and what erases is stored, and certified.
            let policy = try await retention.setPolicy(
                .init(organisationID: organisation.organisationID, retentionDays: 5), options: options)
            #expect(policy.retentionDays == 5)
            _ = try await retention.eraseSession(
                .init(sessionID: session, confirmSessionID: session), options: options)
            let certificate = try await retention.getCertificate(.init(sessionID: session), options: options)
            #expect(!certificate.statement.isEmpty)
            #expect(samtal.child(.retention)?.printed.contains("what was kept for erasing is being used") == true)

            disk.makeRoom()
            try await eventually("sessions are made again") {
                (try? await samtal.chat.createSession(.init(title: "Fråga"), options: options)) != nil
            }
        }
    }

    @Test(
        "a service that is started on a full disk says so in one line",
        arguments: [RunningSamtal.Service.identity, .retention, .chat])
    func starting(service: RunningSamtal.Service) async throws {
        try await RunningSamtal.with([], small: [service: 64]) { samtal in
            try #require(samtal.disk(service)).fill()
            let started = try await ChildProcess.run(
                "samtal-\(service.rawValue)", ["--data", samtal.data, "--region", "se"])
            #expect(started.status == 1)
            #expect(started.printed.contains("the disk is full"), "\(started.printed)")
            #expect(started.printed.split(separator: "\n").count == 1, "\(started.printed)")
        }
    }

    /// The status, and the texts of the error.
    private func post(
        _ samtal: RunningSamtal, _ path: String, _ body: String, token: String
    ) async throws -> (status: Int, error: [String: String]) {
        let url = try #require(URL(string: try samtal.httpAddress() + path))
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        let json = try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]]
        return (
            (response as? HTTPURLResponse)?.statusCode ?? 0,
            (json?["error"] ?? [:]).compactMapValues { $0 as? String }
        )
    }
}

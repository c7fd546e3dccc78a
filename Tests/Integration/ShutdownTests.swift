import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("SIGTERM with streams open")
struct ShutdownTests {
    /// Less than the shortest time that calls with an end are given, and much more than stopping takes.
    private static let soon: Duration = .milliseconds(4500)

    /// Asks the service to stop, and returns how long it took once `body` has seen how its streams ended.
    private func stop(
        _ service: RunningSamtal.Service, of samtal: RunningSamtal, _ body: () async throws -> Void = {}
    ) async throws -> Duration {
        let child = try #require(samtal.child(service))
        let began = ContinuousClock.now
        child.signal(SIGTERM)
        try await body()
        #expect(try await child.wait() == 0)
        return ContinuousClock.now - began
    }

    @Test("a feed through the gateway's socket is told at once to resume, and the gateway is gone")
    func feedThroughGateway() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let chat = ChatV1.ChatServiceClient(channel: samtal.channel(.gateway))
            var events = chat.watchSession(.init(sessionID: session)).makeAsyncIterator()
            while let event = try await events.next() {
                if case .caughtUp = event.change { break }
            }
            let took = try await stop(.gateway, of: samtal) {
                do {
                    while try await events.next() != nil {}
                    Issue.record("the feed came to an end")
                } catch let error as RPCError {
                    #expect(error.code == .outOfRange)
                    #expect(error.reason == "RESUME")
                }
            }
            #expect(took < Self.soon)
        }
    }

    @Test("whoever follows over HTTP, anyone or moderators, is let go, and so are connections that nobody uses")
    func feedsOverHTTP() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let url = "\(try samtal.httpAddress())/v1/sessions/\(session)/events"
            let token = "Authorization: Bearer \(organisation.accessToken)"
            let followers = try [
                [url], ["-H", token, url], ["-H", token, "\(url)?audience=MODERATORS"],
            ].enumerated().map { number, arguments in
                try ChildProcess(
                    "/usr/bin/env", ["curl", "-sSN"] + arguments, log: "\(samtal.folder)/follower-\(number)")
            }
            // Keeps its connection.
            let idle = try IdleHTTPConnection(to: try samtal.httpAddress())
            for follower in followers {
                try await eventually("the feed is followed") { follower.printed.contains("event: caught-up") }
            }
            #expect(try await stop(.gateway, of: samtal) < Self.soon)
            // The answers came to their ends: nothing was cut.
            for follower in followers {
                #expect(try await follower.wait() == 0, "\(follower.printed.suffix(500))")
            }
            idle.close()
        }
    }

    @Test(
        "streams of health and reflection that are left open hold no process up",
        arguments: RunningSamtal.Service.allCases)
    func healthAndReflection(_ service: RunningSamtal.Service) async throws {
        try await RunningSamtal.with { samtal in
            let channel = samtal.channel(service)
            var health = HealthV1.HealthClient(channel: channel).watch(.init()).makeAsyncIterator()
            #expect(try await health.next()?.status == .serving)
            let call = try await ReflectionV1.ServerReflectionClient(channel: channel).serverReflectionInfo()
            try await call.send(.init(messageRequest: .listServices("")))
            var answers = call.responses.makeAsyncIterator()
            #expect(try await answers.next() != nil)
            #expect(try await stop(service, of: samtal) < Self.soon)
            #expect(try await health.next()?.status == .notServing)
        }
    }

    @Test("an export through the gateway that is under way comes to its end")
    func export() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let participant = try await samtal.join(session)
            for number in 0..<300 {
                // Letters that don't repeat are as long in a ZIP.
                let text = (0..<400).map { _ in "abcdefghijklmnopqrstuvwxyzåäö".randomElement() ?? "a" }
                _ = try await samtal.chat.askQuestion(
                    .init(sessionID: session, text: String(text), requestID: "request-\(number)"), options: participant)
            }
            let retention = RetentionV1.RetentionServiceClient(channel: samtal.channel(.gateway))
            var chunks = retention.exportSession(.init(sessionID: session), options: organisation.administrator)
                .makeAsyncIterator()
            var archive = try #require(try await chunks.next()).data
            _ = try await stop(.gateway, of: samtal) {
                while let chunk = try await chunks.next() { archive += chunk.data }
            }
            let path = "\(samtal.folder)/export.zip"
            try Data(archive).write(to: URL(fileURLWithPath: path))
            let tested = try await ChildProcess.run("/usr/bin/env", ["unzip", "-tq", path])
            #expect(tested.status == 0, "\(tested.printed)")
        }
    }
}

/// A connection that has had one answer, and waits.
private final class IdleHTTPConnection {
    private let process: ChildProcess
    private let log: String

    init(to address: String) throws {
        log = FileManager.default.temporaryDirectory.appending(path: "samtal-idle-\(UUID().uuidString)").path
        let hostAndPort = address.dropFirst("http://".count).split(separator: ":").map(String.init)
        let program = """
            exec 3<>/dev/tcp/\(hostAndPort[0])/\(hostAndPort[1])
            printf 'GET /healthz HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n' >&3
            exec cat <&3
            """
        process = try ChildProcess("/usr/bin/env", ["bash", "-c", program], log: log)
    }

    func close() {
        process.signal(SIGTERM)
        try? FileManager.default.removeItem(atPath: log)
    }
}

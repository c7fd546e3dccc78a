import Contracts
import Foundation
import Glibc
import RPC
import ServiceKit
import Synchronization
import Testing

@Suite("the gateway's own socket")
struct ForwardingTests {
    private func channel(_ gateway: TestGateway) -> RPCChannel {
        RPCChannel(
            socketPath: "\(gateway.folder)/gateway.sock", name: "gateway", group: gateway.group,
            logger: TestGateway.quiet)
    }

    @Test("every method of the three services is there, and calls go to the one that owns them, tokens and all")
    func forwards() async throws {
        try await TestGateway.run { gateway in
            let channel = channel(gateway)
            let chat = ChatV1.ChatServiceClient(channel: channel)
            let options = CallOptions(metadata: [
                "authorization": "Bearer abc", "samtal-participant": "p1", "x-other": "secret",
            ])
            let session = try await chat.getSession(.init(sessionID: "s1"), options: options)
            #expect(session.title == "Budget")
            let metadata = try #require(gateway.chat.state.withLock { $0.calls.first?.metadata })
            #expect(metadata[first: "authorization"] == "Bearer abc")
            #expect(metadata[first: "samtal-participant"] == "p1")
            #expect(metadata[first: "x-other"] == nil)
            let policy = try await RetentionV1.RetentionServiceClient(channel: channel)
                .setPolicy(.init(organisationID: "o1", retentionDays: 3))
            #expect(policy.retentionDays == 3)
            let code = try await IdentityV1.IdentityServiceClient(channel: channel)
                .createSignInCode(.init(email: "alva@example.org"))
            #expect(code.code == "right")
            await channel.close()
        }
    }

    @Test("streams are forwarded message by message, and end upstream when the caller leaves")
    func streams() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.addQuestion("q1")
            let channel = channel(gateway)
            let chat = ChatV1.ChatServiceClient(channel: channel)
            var seen: [String] = []
            for try await event in chat.watchSession(.init(sessionID: "s1", audience: .public)) {
                seen.append(event.position)
                if seen.count == 2 { gateway.chat.addQuestion("q2") }
                if seen.count == 3 { break }
            }
            #expect(seen == [gateway.position(1), gateway.position(1), gateway.position(2)])
            try await eventually("the watch ends") { gateway.chat.state.withLock { $0.finishedWatches } == 1 }
            await channel.close()
        }
    }

    @Test("errors come through whole, and a service that is away is named")
    func errors() async throws {
        try await TestGateway.run(services: ["chat"]) { gateway in
            let channel = channel(gateway)
            gateway.chat.fail(.invalid("session_id", "is not an identifier"))
            let chat = ChatV1.ChatServiceClient(channel: channel)
            await #expect(throws: RPCError.invalid("session_id", "is not an identifier")) {
                _ = try await chat.getSession(.init(sessionID: "!"))
            }
            let error = await #expect(throws: RPCError.self) {
                _ = try await IdentityV1.IdentityServiceClient(channel: channel).signIn(.init(code: "right"))
            }
            #expect(error?.code == .unavailable && error?.reason == "NEIGHBOUR_UNAVAILABLE")
            #expect(error?.message.contains("identity") == true)
            await channel.close()
        }
    }

    @Test("a peer may call what its role allows, and nothing else is forwarded")
    func roles() async throws {
        let backend = PeerRoles([geteuid(): [.backend]])
        try await TestGateway.run(peers: backend) { gateway in
            let channel = channel(gateway)
            let error = await #expect(throws: RPCError.self) {
                _ = try await IdentityV1.IdentityServiceClient(channel: channel)
                    .createOrganisation(.init(displayName: "Example News"))
            }
            #expect(error?.code == .permissionDenied)
            let chat = ChatV1.ChatServiceClient(channel: channel)
            let session = try await chat.getSession(.init(sessionID: "s1"))
            #expect(session.sessionID == "s1")
            await #expect(throws: RPCError.self) {
                _ = try await chat.eraseSessionContent(.init(sessionID: "s1"))
            }
            #expect(gateway.chat.state.withLock { $0.calls.count } == 1)
            await channel.close()
        }
    }

    @Test("health is the gateway's own, also with nobody behind it")
    func health() async throws {
        try await TestGateway.run(services: []) { gateway in
            let channel = channel(gateway)
            let answer = try await HealthV1.HealthClient(channel: channel).check(.init())
            #expect(answer.status == .serving)
            await channel.close()
        }
    }
}

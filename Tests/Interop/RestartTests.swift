import Foundation
import InteropContracts
import Logging
import NIOPosix
import RPC
import TestProcesses
import Testing

/// What happens between processes that live, stop and come back.
extension Interoperability {
    @Suite("Servers that drain and come back")
    struct Restarts {
        @Test(
            "a server that stops with grace lets our client's stream end, and our client finds its successor",
            arguments: Implementation.allCases)
        func restart(_ implementation: Implementation) async throws {
            let path = "\(Peers.shared.folder)/restart-\(implementation).sock"
            let first = try await Peers.shared.start(implementation, listen: "unix:\(path)")
            let channel = RPCChannel(
                socketPath: path, name: "the peer", group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let client = GRPCTesting.TestServiceClient(channel: channel)
            do {
                var responses = client.streamingOutputCall(
                    .init(responseParameters: [.init(size: 10), .init(size: 20, intervalUs: 1_000_000)]),
                    options: CallOptions(timeout: .seconds(20))
                ).makeAsyncIterator()
                #expect(try await responses.next()?.payload?.body.count == 10)
                // GOAWAY comes while the second response is awaited.
                first.process.signal(SIGTERM)
                #expect(try await responses.next()?.payload?.body.count == 20)
                #expect(try await responses.next() == nil)
                #expect(try await first.process.wait() == 0)

                await #expect(throws: RPCError.self) { try await client.emptyCall(.init()) }
                async let patient = client.emptyCall(
                    .init(), options: CallOptions(timeout: .seconds(30), waitForReady: true))
                let second = try await Peers.shared.start(implementation, listen: "unix:\(path)")
                _ = try await patient
                _ = try await client.emptyCall(.init(), options: CallOptions(timeout: .seconds(5)))
                second.process.signal(SIGTERM)
                #expect(try await second.process.wait() == 0)
            } catch {
                first.process.signal(SIGKILL)
                await channel.close()
                throw error
            }
            await channel.close()
        }

        // Not of grpclib, which closes its connection, calls and all, when GOAWAY comes.
        @Test(
            "our server that is told to stop lets the streams of others end",
            arguments: Implementation.allCases.filter { $0 != .grpclib })
        func drain(_ client: Implementation) async throws {
            let server = try await Peers.shared.start(
                .ours, listen: "unix:\(Peers.shared.folder)/drain-\(client).sock")
            let tap = try await SocketTap.start(in: Peers.shared.folder, to: server.target)
            let command = try await Peers.shared.client(client, target: tap.target) + ["--case", "slow_stream"]
            async let ran = ChildProcess.run(command[0], Array(command.dropFirst()), atMost: .seconds(60))
            try await eventually("the first response passes") { tap.server.messages.count == 1 }
            server.process.signal(SIGTERM)
            let printed = try await ran.printed
            #expect(printed.contains("PASS slow_stream"), "\(printed.suffix(2000))")
            #expect(try await server.process.wait() == 0)
            // GOAWAY told the client (RFC 9113, 6.8).
            #expect(tap.server.frames[FrameCounter.goAway, default: 0] >= 1)
            await tap.stop()
        }
    }
}

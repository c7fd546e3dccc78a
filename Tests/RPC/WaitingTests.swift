import NIOCore
import Testing

@testable import RPC

@Suite("Calls that wait for a connection", .timeLimit(.minutes(1)))
struct WaitingTests {
    /// A channel to servers that aren't there.
    private func withoutServers(_ targets: Int, _ body: (RPCChannel) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let channel = RPCChannel(
                targets: (0..<targets).map { .path("\(folder)/\($0)") }, name: "neighbour", group: testGroup,
                logger: testLogger)
            try await body(channel)
            await channel.close()
        }
    }

    @Test("a deadline that passes before the call is among those that wait ends it", arguments: [1, 2])
    func expiresEarly(targets: Int) async throws {
        try await withoutServers(targets) { channel in
            let key = WaitKey()
            key.expire()
            let outcome = try await status { try await channel.connection(for: .init(waitForReady: true), key) }
            #expect(outcome?.code == .deadlineExceeded)
        }
    }

    @Test("calls whose deadlines have passed, or are about to, all end", arguments: [1, 2])
    func expiresAtOnce(targets: Int) async throws {
        try await withoutServers(targets) { channel in
            try await withThrowingTaskGroup(of: RPCError.Code?.self) { calls in
                for number in 0..<2000 {
                    calls.addTask {
                        let options = CallOptions(timeout: .microseconds(number % 20 - 10), waitForReady: true)
                        return try await status {
                            try await channel.unary(.echo, Text(), options: options, as: Text.self)
                        }?.code
                    }
                }
                for try await code in calls { #expect(code == .deadlineExceeded) }
            }
        }
    }

    @Test("those that wait for any of several targets go in the order in which they came, and no more than may wait")
    func keepsOrder() async throws {
        try await withTemporaryFolder { folder in
            var limits = ClientLimits()
            limits.maxWaitingCalls = 50
            let channel = RPCChannel(
                targets: ["a", "b"].map { .path("\(folder)/\($0)") }, policy: .roundRobin, name: "neighbour",
                limits: limits, group: testGroup, logger: testLogger)
            let picker = try #require(channel.picker)
            let resumed = Shared<[Int]>([])
            for number in 0..<51 {
                picker.want(
                    ConnectionWaiter(waitsForReady: true, .function { _ in resumed.update { $0.append(number) } }))
            }
            #expect(resumed.value == [50])
            let server = FrameServer { _, _ in }
            try await server.start(folder + "/b")
            try await eventually("all have been resumed") { resumed.value.count == 51 }
            #expect(resumed.value == [50] + (0..<50))
            await channel.close()
            try await server.stop()
        }
    }
}

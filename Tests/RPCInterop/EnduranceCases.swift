internal import InteropContracts
internal import RPC

/// Many calls, many connections, and connections that live long.
extension InteropCase {
    static let endurance = [
        InteropCase("rpc_soak") { peer in
            try await peer.withClient { client in
                for _ in 0..<100 { try await soakOnce(client) }
            }
        },
        InteropCase("channel_soak") { peer in
            for _ in 0..<25 {
                try await peer.withClient { client in try await soakOnce(client) }
            }
        },
        InteropCase("concurrent_large_unary") { peer in
            try await peer.withClient { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<32 { group.addTask { try await soakOnce(client) } }
                    for _ in 32..<200 {
                        try await group.next()
                        group.addTask { try await soakOnce(client) }
                    }
                    try await group.waitForAll()
                }
            }
        },
        // A connection that pings several times a second lives through a quiet stream, and through a time without calls.
        InteropCase("keepalive") { peer in
            try await peer.withClient(keepaliveInterval: .milliseconds(250)) { client in
                var request = GRPCTesting.StreamingOutputCallRequest.asking([10, 10])
                request.responseParameters[1].intervalUs = 2_500_000
                var received = 0
                for try await _ in client.streamingOutputCall(request, options: .patient()) { received += 1 }
                try expect(received == 2, "the quiet stream was cut off")
                // The quiet time itself.
                try await Task.sleep(for: .milliseconds(1500))
                _ = try await client.emptyCall(.init(), options: .patient())
            }
        },
    ]

    private static func soakOnce(_ client: GRPCTesting.TestServiceClient) async throws {
        let began = ContinuousClock.now
        try expectZeros(try await client.unaryCall(.large, options: .patient()).payload, Sizes.largeResponse)
        try expect(ContinuousClock.now - began < .seconds(15), "a call took too long")
    }
}

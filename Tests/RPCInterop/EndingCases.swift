internal import InteropContracts
internal import RPC

/// Calls that nobody serves, that are cancelled, or that take too long.
extension InteropCase {
    static let endings = [
        InteropCase("unimplemented_method") { peer in
            try await peer.withClient { client in
                try await expect(.unimplemented, "the call") {
                    _ = try await client.unimplementedCall(.init(), options: .patient())
                }
            }
        },
        InteropCase("unimplemented_service") { peer in
            try await peer.withChannel { channel in
                try await expect(.unimplemented, "the call") {
                    _ = try await GRPCTesting.UnimplementedServiceClient(channel: channel)
                        .unimplementedCall(.init(), options: .patient())
                }
            }
        },
        InteropCase("cancel_after_begin") { peer in
            try await peer.withClient { client in
                try await expect(.cancelled, "the call") {
                    let call = try await client.streamingInputCall(options: .patient())
                    call.cancel()
                    _ = try await call.response()
                }
            }
        },
        InteropCase("cancel_after_first_response") { peer in
            try await peer.withClient { client in
                let call = try await client.fullDuplexCall(options: .patient())
                try await call.send(.asking([31415], payload: 27182))
                var responses = call.responses.makeAsyncIterator()
                try expectZeros(try await responses.next()?.payload, 31415)
                call.cancel()
                try await expect(.cancelled, "the call") {
                    while try await responses.next() != nil {}
                }
                // The connection goes on.
                _ = try await client.emptyCall(.init(), options: .patient())
            }
        },
        InteropCase("timeout_on_sleeping_server") { peer in
            try await peer.withClient { client in
                try await expect(.deadlineExceeded, "the call") {
                    let options = CallOptions(timeout: .milliseconds(1), waitForReady: true)
                    let call = try await client.fullDuplexCall(options: options)
                    try await call.send(.asking([], payload: 27182))
                    for try await _ in call.responses {}
                }
            }
        },
        // The deadline passes between two responses.
        InteropCase("deadline_in_stream") { peer in
            try await peer.withClient { client in
                var request = GRPCTesting.StreamingOutputCallRequest.asking([10, 10])
                request.responseParameters[1].intervalUs = 20_000_000
                let began = ContinuousClock.now
                var received = 0
                let options = CallOptions(timeout: .milliseconds(500), waitForReady: true)
                try await expect(.deadlineExceeded, "the call") {
                    for try await _ in client.streamingOutputCall(request, options: options) { received += 1 }
                }
                try expect(received == 1, "\(received) responses before the deadline instead of 1")
                try expect(ContinuousClock.now - began < .seconds(10), "the deadline was overslept")
            }
        },
        // The second response comes as much later as was asked for.
        InteropCase("slow_stream") { peer in
            try await peer.withClient { client in
                var request = GRPCTesting.StreamingOutputCallRequest.asking([10, 20])
                request.responseParameters[1].intervalUs = 1_000_000
                var responses = client.streamingOutputCall(request, options: .patient()).makeAsyncIterator()
                try expectZeros(try await responses.next()?.payload, 10)
                let began = ContinuousClock.now
                try expectZeros(try await responses.next()?.payload, 20)
                try expect(ContinuousClock.now - began > .milliseconds(900), "the second response came early")
                try expect(try await responses.next() == nil, "more than two responses")
            }
        },
    ]
}

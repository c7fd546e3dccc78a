internal import InteropContracts
internal import RPC

/// Many requests, many responses.
extension InteropCase {
    static let streaming = [
        InteropCase("client_streaming") { peer in
            try await peer.withClient { client in
                let call = try await client.streamingInputCall(options: .patient())
                for size in Sizes.requests { try await call.send(.init(payload: .zeros(size))) }
                let sum = try await call.response().aggregatedPayloadSize
                try expect(sum == 74922, "a sum of \(sum) instead of 74922")
            }
        },
        InteropCase("server_streaming") { peer in
            try await peer.withClient { client in
                var sizes = Sizes.responses[...]
                for try await response in client.streamingOutputCall(.asking(Sizes.responses), options: .patient()) {
                    guard let size = sizes.popFirst() else {
                        throw CaseFailure(description: "more than four responses")
                    }
                    try expectZeros(response.payload, size)
                }
                try expect(sizes.isEmpty, "fewer than four responses")
            }
        },
        InteropCase("ping_pong") { peer in
            try await peer.withClient { client in
                let call = try await client.fullDuplexCall(options: .patient())
                var responses = call.responses.makeAsyncIterator()
                for (requestSize, responseSize) in zip(Sizes.requests, Sizes.responses) {
                    try await call.send(.asking([responseSize], payload: requestSize))
                    guard let response = try await responses.next() else {
                        throw CaseFailure(description: "fewer than four responses")
                    }
                    try expectZeros(response.payload, responseSize)
                }
                call.finish()
                try expect(try await responses.next() == nil, "more than four responses")
            }
        },
        InteropCase("empty_stream") { peer in
            try await peer.withClient { client in
                let call = try await client.fullDuplexCall(options: .patient())
                call.finish()
                for try await _ in call.responses { throw CaseFailure(description: "a response to nothing") }
            }
        },
    ]
}

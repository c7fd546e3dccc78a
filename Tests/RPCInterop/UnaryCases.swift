internal import InteropContracts
internal import NIOCore
internal import RPC

/// One request, one response.
extension InteropCase {
    static let unary = [
        InteropCase("empty_unary") { peer in
            try await peer.withChannel { channel in
                let method = GRPCTesting.TestServiceMethods.emptyCall
                let response = try await channel.rawUnary(method, ByteBuffer(), options: .patient())
                try expect(response.readableBytes == 0, "the response is not empty")
            }
        },
        InteropCase("large_unary") { peer in
            try await peer.withClient { client in
                let response = try await client.unaryCall(.large, options: .patient())
                try expectZeros(response.payload, Sizes.largeResponse)
            }
        },
        // A client that takes 1,000 bytes refuses a longer response, and one that takes 8 MiB gets it.
        InteropCase("max_message_size") { peer in
            try await peer.withClient { client in
                for limit in [1000, 8 * 1024 * 1024] {
                    var options = CallOptions.patient()
                    options.maxResponseBytes = limit
                    for size in [500, 6 * 1024 * 1024] {
                        let request = GRPCTesting.SimpleRequest(responseSize: Int32(size))
                        if size < limit {
                            try expectZeros(try await client.unaryCall(request, options: options).payload, size)
                        } else {
                            try await expect(.resourceExhausted, "\(size) bytes with a limit of \(limit)") {
                                _ = try await client.unaryCall(request, options: options)
                            }
                        }
                    }
                }
            }
        },
    ]
}

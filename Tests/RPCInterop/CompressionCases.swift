internal import InteropContracts
internal import RPC

/// Messages in gzip.
extension InteropCase {
    static let compression = [
        InteropCase("client_compressed_unary") { peer in
            try await peer.withClient { client in
                var request = GRPCTesting.SimpleRequest.large
                request.expectCompressed = .init(value: true)
                if peer.seesCompression {
                    let probe = request
                    try await expect(.invalidArgument, "the probe") {
                        _ = try await client.unaryCall(probe, options: .patient())
                    }
                }
                var options = CallOptions.patient()
                options.compression = .gzip
                try expectZeros(try await client.unaryCall(request, options: options).payload, Sizes.largeResponse)
                request.expectCompressed = .init(value: false)
                let response = try await client.unaryCall(request, options: .patient())
                try expectZeros(response.payload, Sizes.largeResponse)
            }
        },
        InteropCase("server_compressed_unary") { peer in
            try await peer.withClient { client in
                for compressed in [true, false] {
                    var request = GRPCTesting.SimpleRequest.large
                    request.responseCompressed = .init(value: compressed)
                    var options = CallOptions.patient()
                    let metadata = ResponseMetadata()
                    options.responseMetadata = metadata
                    let response = try await client.unaryCall(request, options: options)
                    try expectZeros(response.payload, Sizes.largeResponse)
                    try expect(
                        metadata.compressedMessages == (compressed ? 1 : 0),
                        "the response came \(compressed ? "un" : "")compressed")
                }
            }
        },
        InteropCase("client_compressed_streaming") { peer in
            try await peer.withClient { client in
                var options = CallOptions.patient()
                options.compression = .gzip
                if peer.seesCompression {
                    try await expect(.invalidArgument, "the probe") {
                        let probe = try await client.streamingInputCall(options: options)
                        probe.setCompression(false)
                        try await probe.send(announced(27182, true))
                        _ = try await probe.response()
                    }
                }
                let call = try await client.streamingInputCall(options: options)
                try await call.send(announced(27182, true))
                call.setCompression(false)
                try await call.send(announced(45904, false))
                let sum = try await call.response().aggregatedPayloadSize
                try expect(sum == 73086, "a sum of \(sum) instead of 73086")
            }
        },
        InteropCase("server_compressed_streaming") { peer in
            try await peer.withClient { client in
                let wanted = [(compressed: true, size: 31415), (compressed: false, size: 92653)]
                let request = GRPCTesting.StreamingOutputCallRequest(
                    responseParameters: wanted.map {
                        .init(size: Int32($0.size), compressed: .init(value: $0.compressed))
                    })
                var options = CallOptions.patient()
                let metadata = ResponseMetadata()
                options.responseMetadata = metadata
                var received = 0
                for try await response in client.streamingOutputCall(request, options: options) {
                    try expect(received < wanted.count, "more than two responses")
                    try expectZeros(response.payload, wanted[received].size)
                    received += 1
                    // The first was compressed, and no other.
                    try expect(metadata.compressedMessages == 1, "response \(received)'s compression is not as asked")
                }
                try expect(received == 2, "fewer than two responses")
            }
        },
    ]

    private static func announced(_ size: Int, _ compressed: Bool) -> GRPCTesting.StreamingInputCallRequest {
        .init(payload: .zeros(size), expectCompressed: .init(value: compressed))
    }
}

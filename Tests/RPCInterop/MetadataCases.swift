internal import InteropContracts
internal import RPC

/// What travels beside the messages, there and back.
extension InteropCase {
    static let echoInitial = "x-grpc-test-echo-initial"
    static let echoTrailing = "x-grpc-test-echo-trailing-bin"

    private static let padded: [(String, [UInt8])] = [
        ("+g==", [0xFA]), ("+vs=", [0xFA, 0xFB]), ("+vv8", [0xFA, 0xFB, 0xFC]),
    ]

    static let metadata = [
        InteropCase("custom_metadata") { peer in
            try await echo(peer, "test_initial_metadata_value", [0xAB, 0xAB, 0xAB])
        },
        // 6 KiB of text and 2 KiB of base64: 8 KiB each way.
        InteropCase("large_metadata") { peer in
            let bytes = (0..<1536).map { UInt8(truncatingIfNeeded: $0 * 7) }
            try await echo(peer, String(repeating: "m", count: 6144), bytes)
        },
        // Every remainder of base64's groups of three, and every byte.
        InteropCase("binary_metadata") { peer in
            for length in 1...6 { try await echo(peer, "text", (0..<UInt8(length)).map { 0xFA + $0 }) }
            try await echo(peer, "text", (0...255).map { $0 })
        },
        // The same in base64 that is padded, which some send (gRPC over HTTP/2, "Custom-Metadata").
        InteropCase("padded_binary_metadata") { peer in
            for (text, bytes) in padded {
                try await echo(peer, [echoInitial: "text", echoTrailing: text], "text", bytes)
            }
        },
        InteropCase("status_code_and_message") { peer in
            try await expectStatus(peer, "test status message")
        },
        InteropCase("special_status_message") { peer in
            try await expectStatus(peer, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")
        },
    ]

    private static func echo(_ peer: InteropPeer, _ initial: String, _ trailing: [UInt8]) async throws {
        var metadata: Metadata = [echoInitial: initial]
        metadata.addBinary(echoTrailing, trailing)
        try await echo(peer, metadata, initial, trailing)
    }

    /// A unary call and a stream that carry the two values, and get them back.
    private static func echo(
        _ peer: InteropPeer, _ metadata: Metadata, _ initial: String, _ trailing: [UInt8]
    ) async throws {
        try await peer.withClient { client in
            var options = CallOptions.patient(metadata)
            let ofUnary = ResponseMetadata()
            options.responseMetadata = ofUnary
            let response = try await client.unaryCall(.large, options: options)
            try expectZeros(response.payload, Sizes.largeResponse)
            try expectEchoed("the unary call", ofUnary, initial, trailing)

            let ofStream = ResponseMetadata()
            options.responseMetadata = ofStream
            let call = try await client.fullDuplexCall(options: options)
            try await call.send(.asking([Sizes.largeResponse], payload: Sizes.largeRequest))
            call.finish()
            var received = 0
            for try await response in call.responses {
                try expectZeros(response.payload, Sizes.largeResponse)
                received += 1
            }
            try expect(received == 1, "\(received) responses instead of 1")
            try expectEchoed("the stream", ofStream, initial, trailing)
        }
    }

    private static func expectEchoed(
        _ what: String, _ metadata: ResponseMetadata, _ initial: String, _ trailing: [UInt8]
    ) throws {
        try expect(metadata.initial?[first: echoInitial] == initial, "\(what)'s initial metadata is not the same")
        try expect(
            metadata.trailing?[firstBinary: echoTrailing] == trailing, "\(what)'s trailing metadata is not the same")
    }

    private static func expectStatus(_ peer: InteropPeer, _ message: String) async throws {
        let status = GRPCTesting.EchoStatus(code: 2, message: message)
        try await peer.withClient { client in
            let ofUnary = try await expect(.unknown, "the unary call") {
                _ = try await client.unaryCall(.init(responseStatus: status), options: .patient())
            }
            try expect(
                ofUnary.message == message, "the unary call's message came as \(ofUnary.message.debugDescription)")
            let ofStream = try await expect(.unknown, "the stream") {
                let call = try await client.fullDuplexCall(options: .patient())
                try await call.send(.init(responseStatus: status))
                call.finish()
                for try await _ in call.responses { throw CaseFailure(description: "a response before the status") }
            }
            try expect(ofStream.message == message, "the stream's message came as \(ofStream.message.debugDescription)")
        }
    }
}

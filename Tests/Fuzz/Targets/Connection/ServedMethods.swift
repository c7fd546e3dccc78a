import NIOCore

@testable import RPC

extension CallKey<FuzzGate> {
    /// Where the handlers of the connection that is fuzzed wait.
    static let gate = CallKey("gate")
}

/// Handlers of each kind, which do as the input says.
enum ServedMethods {
    private typealias Text = HealthV1.HealthCheckRequest

    private static func method(
        _ name: String, _ kind: MethodDescriptor.Kind = .unary, deadline: Duration? = nil
    ) -> MethodDescriptor {
        MethodDescriptor(
            service: "fuzz.Service", method: name, kind: kind, idempotent: false, maxRequestBytes: 4096,
            defaultDeadline: deadline)
    }

    private static let handlers = unary + serverStreaming + requestStreaming + HealthService().handlers + reflection
    static let table = MethodTable(handlers)

    /// What is called: the methods there are, and one there isn't.
    static let paths = handlers.map(\.method.path) + ["/fuzz.Service/Missing"]

    private static func gate(_ call: ServerCall) throws(RPCError) -> FuzzGate {
        guard let gate = call[.gate] else { throw RPCError(.internal, "no gate") }
        return gate
    }

    private static let reflection = ReflectionService(files: [
        ProtoFile(
            name: "fuzz.proto", dependencies: ["other.proto"], services: ["fuzz.Service"],
            symbols: ["fuzz.Service", "fuzz.Service.Echo"], descriptor: Array("fuzz.proto".utf8))
    ]).handlers

    private static let unary: [MethodHandler] = [
        .unary(method("Echo")) { (request: Text, call) in
            call.setInitialMetadata("x-first-bin", binary: Array(request.service.utf8))
            call.setTrailer("x-length", "\(request.service.utf8.count)")
            call.setCompression(request.service.utf8.count.isMultiple(of: 2))
            return request
        },
        .unary(method("Refuse")) { (request: Text, _) -> Text in
            throw RPCError(.aborted, request.service, reason: "REASON", fields: [.init(field: "f", reason: "r")])
        },
        .unary(method("Fail")) { (_: Text, _) -> Text in throw FuzzFailure(description: "meant to") },
        .unary(method("Wait")) { (request: Text, call) in
            try await gate(call).wait()
            return request
        },
        .unary(method("Hurry", deadline: .nanoseconds(1))) { (request: Text, call) in
            try await gate(call).wait()
            return request
        },
        .unary(method("Insist")) { (request: Text, call) in
            try await gate(call).waitStubbornly()
            return request
        },
        .rawUnary(method("Repeat")) { (request, _) in
            ByteBuffer(bytes: repeatElement(request.readableBytesView, count: 16).joined())
        },
    ]

    private static let serverStreaming: [MethodHandler] = [
        // So many messages of such a length: the first two bytes of the request.
        .rawServerStreaming(method("Count", .serverStreaming)) { request, writer, _ in
            let sizes = Array(request.readableBytesView) + [0, 0]
            let message = ByteBuffer(repeating: 0x61, count: Int(sizes[1]) * 16)
            for _ in 0..<sizes[0] % 32 { try await writer.send(message) }
        },
        .rawServerStreaming(method("Watch", .serverStreaming)) { request, writer, call in
            while true {
                try await writer.send(request)
                try await gate(call).wait()
            }
        },
        .serverStreaming(method("Break", .serverStreaming)) {
            (request: Text, writer: ResponseWriter<Text>, _) in
            try await writer.send(request)
            throw RPCError(.dataLoss, "meant to")
        },
    ]

    private static let requestStreaming: [MethodHandler] = [
        .rawClientStreaming(method("Sum", .clientStreaming)) { requests, _ in
            var sum: UInt32 = 0
            for try await request in requests { sum &+= UInt32(request.readableBytes) }
            return ByteBuffer(integer: sum)
        },
        // Takes a request when the input lets it.
        .clientStreaming(method("Pace", .clientStreaming)) { (requests: RequestStream<Text>, call) -> Text in
            var last = Text()
            for try await request in requests {
                last = request
                try await gate(call).wait()
            }
            return last
        },
        // Answers after the first, however many are sent.
        .rawClientStreaming(method("First", .clientStreaming)) { requests, _ in
            for try await request in requests { return request }
            throw RPCError(.invalidArgument, "none")
        },
        .rawBidirectional(method("Chat", .bidirectional)) { requests, writer, _ in
            for try await request in requests { try await writer.send(request) }
        },
        .bidirectional(method("Linger", .bidirectional)) {
            (requests: RequestStream<Text>, writer: ResponseWriter<Text>, call) in
            for try await request in requests {
                try await gate(call).wait()
                try await writer.send(request)
            }
            try await gate(call).wait()
        },
    ]
}

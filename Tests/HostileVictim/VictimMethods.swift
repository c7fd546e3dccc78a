import Glibc
import NIOCore
import ProtobufC
import RPC
import Synchronization

/// What the victim serves: one method for each thing that an attacker may want of a server.
enum VictimMethods {
    typealias Text = HealthV1.HealthCheckRequest

    /// Handlers that wait for their cancellation.
    private static let held = Atomic(0)

    /// Calls of `LargeLater` so far.
    private static let called = Atomic(0)

    private static func method(_ name: String, _ kind: MethodDescriptor.Kind = .unary) -> MethodDescriptor {
        MethodDescriptor(
            service: "hostile.Victim", method: name, kind: kind, idempotent: false, maxRequestBytes: 1024 * 1024,
            defaultDeadline: nil)
    }

    static let handlers: [MethodHandler] = [
        // The request, back.
        .unary(method("Echo")) { (request: Text, _) in request },
        // As many bytes as the request says.
        .rawUnary(method("Large")) { request, _ in
            ByteBuffer(repeating: 0, count: try size(in: request))
        },
        // The same, after a while: others are called meanwhile. Not all at once, or making them would be the attack.
        .rawUnary(method("LargeLater")) { request, _ in
            let turn = called.add(1, ordering: .relaxed).newValue % 256
            try await Task.sleep(for: .milliseconds(100 + turn * 3))
            return ByteBuffer(repeating: 0, count: try size(in: request))
        },
        // Messages of as many bytes as the request says, without end.
        .rawServerStreaming(method("Endless", .serverStreaming)) { request, writer, _ in
            let message = ByteBuffer(repeating: 0, count: try size(in: request))
            while true { try await writer.send(message) }
        },
        // Never answers.
        .unary(method("Hold")) { (request: Text, _) in
            held.add(1, ordering: .relaxed)
            defer { held.subtract(1, ordering: .relaxed) }
            try await waitForCancellation()
            return request
        },
        // How many calls of `Hold` are still running.
        .unary(method("Held")) { (_: Text, _) in Text(service: "\(held.load(ordering: .relaxed))") },
        // Counts its requests as they come.
        .rawClientStreaming(method("Gather", .clientStreaming)) { requests, _ in
            var count = 0
            for try await _ in requests { count += 1 }
            return ByteBuffer(bytes: Text(service: "\(count)").serialized())
        },
        // Takes no request, ever.
        .rawClientStreaming(method("Ignore", .clientStreaming)) { _, _ in
            try await waitForCancellation()
            return ByteBuffer()
        },
        // Each request, back.
        .rawBidirectional(method("Talk", .bidirectional)) { requests, writer, _ in
            for try await request in requests { try await writer.send(request) }
        },
        // Has the allocator give back what is free, so that what stays resident is what is held (malloc_trim(3)).
        .unary(method("Trim")) { (request: Text, _) in
            giveBackMemory()
            return request
        },
        // Decodes a message that can hold many.
        .unary(method("Examine")) { (request: GoogleRPC.BadRequest, _) in
            Text(service: "\(request.fieldViolations.count)")
        },
    ]

    /// Not a long sleep: the timer of one that is cancelled holds a kilobyte until its time is over.
    private static func waitForCancellation() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        for await _ in stream {}
        continuation.finish()
        try Task.checkCancellation()
    }

    /// Glibc's module for Swift leaves `int malloc_trim(size_t)` out, so it is looked up by its name.
    private static func giveBackMemory() {
        guard let function = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(function, to: (@convention(c) (Int) -> CInt).self)(0)
    }

    private static func size(in request: ByteBuffer) throws -> Int {
        let text = try Text(serialized: request).service
        guard let size = Int(text), size <= 4 * 1024 * 1024 else { throw RPCError.invalid("service", "is no size") }
        return size
    }
}

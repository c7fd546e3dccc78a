internal import Contracts
internal import GatewayCore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ProtobufC
internal import RPC

extension JSONRoutes {
    /// A download: the messages' `data`, passed on as fast as the client reads and no faster. An error before the first
    /// of them is an error like any other; later ones can only end the connection.
    func fileResponse(to request: Request, by found: Found) async throws -> Response {
        let route = found.route
        let message = try await encodedRequest(from: request, by: found)
        let options = CallOptions(metadata: request.tokens, timeout: route.method.defaultDeadline)
        let channel = try neighbours.channel(to: route.service, for: route.method)
        let chunks = PeekedStream(channel.rawServerStreaming(route.method, message, options: options))
        try await chunks.peek()
        let name = found.fields.first?.value.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") } ?? ""
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"samtal-\(name).zip\"",
            ],
            body: ResponseBody { writer in
                while let chunk = try await chunks.next() {
                    let data = try RetentionV1.ExportChunk(serialized: chunk).data
                    if !data.isEmpty { try await writer.write(ByteBuffer(bytes: data)) }
                }
                try await writer.finish(nil)
            })
    }
}

/// A stream whose first element has been waited for, to see whether it is an error, before it is handed on.
final class PeekedStream<Base: AsyncSequence & Sendable>: @unchecked Sendable where Base.Element: Sendable {
    // Guard: one task at a time. The task that peeks returns before the response it makes is written, and what writes
    // the response is all that calls `next` from then on.
    private var iterator: Base.AsyncIterator
    private var first: Base.Element?

    init(_ base: Base) { iterator = base.makeAsyncIterator() }

    /// Waits for the first element and keeps it.
    func peek() async throws { first = try await iterator.next() }

    func next() async throws -> Base.Element? {
        if let element = first {
            first = nil
            return element
        }
        return try await iterator.next()
    }
}

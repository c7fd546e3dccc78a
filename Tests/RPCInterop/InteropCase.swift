internal import Glibc
internal import InteropContracts
internal import Logging
internal import NIOPosix
internal import RPC

/// One of gRPC's interoperability cases (interop-test-descriptions.md), or one of our own.
struct InteropCase: Sendable {
    let name: String
    let body: @Sendable (InteropPeer) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (InteropPeer) async throws -> Void) {
        self.name = name
        self.body = body
    }

    static let all = unary + compression + streaming + metadata + endings + endurance
}

/// Why a case failed.
struct CaseFailure: Error, CustomStringConvertible {
    let description: String
}

/// The server that the cases are run against.
struct InteropPeer: Sendable {
    let target: RPCTarget
    let group: MultiThreadedEventLoopGroup
    /// Whether it can refuse a request that isn't compressed as announced.
    let seesCompression: Bool

    /// Calls `body` with a client that has a connection of its own.
    func withClient(
        keepaliveInterval: Duration? = nil,
        _ body: (GRPCTesting.TestServiceClient) async throws -> Void
    ) async throws {
        try await withChannel(keepaliveInterval: keepaliveInterval) { try await body(.init(channel: $0)) }
    }

    func withChannel(keepaliveInterval: Duration? = nil, _ body: (RPCChannel) async throws -> Void) async throws {
        let channel = RPCChannel(
            targets: [target], name: "the peer", keepaliveInterval: keepaliveInterval, group: group,
            logger: Logger(label: "rpc-interop") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await body(channel)
        } catch {
            await channel.close()
            throw error
        }
        await channel.close()
    }
}

enum Sizes {
    static let largeRequest = 271_828
    static let largeResponse = 314_159
    static let requests = [27182, 8, 1828, 45904]
    static let responses = [31415, 9, 2653, 58979]
}

extension CallOptions {
    /// Waits for the server, and twenty seconds for the answer.
    static func patient(_ metadata: Metadata = [:]) -> CallOptions {
        CallOptions(metadata: metadata, timeout: .seconds(20), waitForReady: true)
    }
}

func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw CaseFailure(description: what()) }
}

/// Runs a call that must end with `code`, and returns how it ended.
@discardableResult
func expect(_ code: RPCError.Code, _ what: String, _ call: () async throws -> Void) async throws -> RPCError {
    do {
        try await call()
    } catch let error as RPCError {
        try expect(error.code == code, "\(what) ended with \(error) instead of \(code.name)")
        return error
    }
    throw CaseFailure(description: "\(what) ended well instead of with \(code.name)")
}

func expectZeros(_ payload: GRPCTesting.Payload?, _ size: Int) throws {
    let body = payload?.body ?? []
    try expect(body.count == size, "a payload of \(body.count) bytes instead of \(size)")
    // Bytes that begin with zero and are the same one further on; quick also where nothing is optimised.
    let areZeros = body.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return true }
        return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
    }
    try expect(areZeros, "a payload that is not all zeros")
}

extension GRPCTesting.Payload {
    static func zeros(_ size: Int) -> GRPCTesting.Payload { .init(body: [UInt8](repeating: 0, count: size)) }
}

extension GRPCTesting.SimpleRequest {
    static var large: GRPCTesting.SimpleRequest {
        .init(responseSize: Int32(Sizes.largeResponse), payload: .zeros(Sizes.largeRequest))
    }
}

extension GRPCTesting.StreamingOutputCallRequest {
    /// Asks for one response of each size.
    static func asking(_ sizes: [Int], payload: Int = 0) -> GRPCTesting.StreamingOutputCallRequest {
        .init(
            responseParameters: sizes.map { .init(size: Int32($0)) }, payload: payload > 0 ? .zeros(payload) : nil)
    }
}

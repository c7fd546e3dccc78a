import Foundation
import TestProcesses
import Testing

/// One of the implementations of each side.
enum Implementation: String, CaseIterable, Sendable {
    case ours = "our"
    case cpp = "C++"
    case go = "grpc-go"
    case python = "grpcio"
    case grpclib
}

/// A client and a server that must understand each other.
struct Pairing: Sendable, Hashable, CustomTestStringConvertible {
    var client: Implementation
    var server: Implementation

    static let all: [Pairing] = {
        let others = Implementation.allCases.filter { $0 != .ours }
        return others.map { Pairing(client: .ours, server: $0) } + others.map { Pairing(client: $0, server: .ours) }
            + [Pairing(client: .ours, server: .ours)]
    }()

    var testDescription: String { "\(client.rawValue) client ↔ \(server.rawValue) server" }
}

/// One case in one pairing.
struct PairedCase: Sendable, CustomTestStringConvertible {
    var pairing: Pairing
    var name: String

    var testDescription: String { "\(pairing.testDescription): \(name)" }

    static let all = Pairing.all.flatMap { pairing in
        CaseTable.names.map { PairedCase(pairing: pairing, name: $0) }
    }
}

/// Every case, and what is different about it in some pairings.
enum CaseTable {
    /// Of gRPC's interop-test-descriptions.md: all that need neither TLS nor credentials.
    static let described = [
        "empty_unary", "large_unary", "client_compressed_unary", "server_compressed_unary", "client_streaming",
        "client_compressed_streaming", "server_streaming", "server_compressed_streaming", "ping_pong", "empty_stream",
        "custom_metadata", "status_code_and_message", "special_status_message", "unimplemented_method",
        "unimplemented_service", "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server",
        "rpc_soak", "channel_soak",
    ]
    /// Of our own.
    static let additional = [
        "concurrent_large_unary", "large_metadata", "binary_metadata", "padded_binary_metadata", "max_message_size",
        "deadline_in_stream", "slow_stream", "keepalive",
    ]
    static let names = described + additional

    /// Left out in every pairing, and why.
    static let leftOut = [
        "cacheable_unary": "a GET that a caching proxy answers; there is no proxy before a Unix socket, and gRPC over "
            + "HTTP/2 has only POST"
    ]

    enum Difference: Sendable, Equatable {
        /// Not run.
        case skipped
        /// Run with these arguments.
        case with([String])
        /// Run with less in it.
        case reduced
    }

    /// What is different in a pairing, and why; nil for a case that is run as it is described.
    static func difference(_ each: PairedCase) -> (Difference, why: String)? {
        switch (each.name, each.pairing.client, each.pairing.server) {
        case ("client_compressed_unary", _, .python), ("client_compressed_streaming", _, .python):
            (
                .with(["--without-probe"]),
                "without the probe: grpcio tells no service whether a request came compressed"
            )
        case ("client_compressed_streaming", .python, _), ("client_compressed_streaming", .go, _):
            (
                .reduced,
                "in a call for each request: \(each.pairing.client.rawValue) compresses all requests of a call or none"
            )
        case ("server_compressed_unary", .python, _), ("server_compressed_streaming", .python, _):
            (.reduced, "compression looked at on the wire alone: grpcio tells no caller of it")
        case ("server_compressed_unary", _, .go), ("server_compressed_streaming", _, .go):
            (.skipped, "grpc-go 1.33 answers compressed whom it was asked compressed; a service can't choose")
        case ("server_compressed_unary", .go, _), ("server_compressed_streaming", .go, _):
            (.reduced, "the requests come compressed: grpc-go 1.33 says that it takes gzip only when it sends it")
        case ("client_compressed_unary", _, _), ("client_compressed_streaming", _, _),
            ("server_compressed_unary", _, _), ("server_compressed_streaming", _, _):
            has(.grpclib, each) ? (.skipped, "grpclib has no compression") : nil
        case ("max_message_size", .grpclib, _): (.reduced, "nothing is refused: grpclib takes a message of any length")
        case ("cancel_after_begin", .grpclib, _), ("cancel_after_first_response", .grpclib, _):
            (.reduced, "without a status: grpclib tells a caller nothing after its own cancellation")
        case ("padded_binary_metadata", .ours, _): nil
        case ("padded_binary_metadata", _, _):
            (.skipped, "\(each.pairing.client.rawValue) writes binary metadata itself, and never pads it")
        default: nil
        }
    }

    private static func has(_ implementation: Implementation, _ each: PairedCase) -> Bool {
        each.pairing.client == implementation || each.pairing.server == implementation
    }

    /// What is looked at on the wire, beside what the client says.
    enum Watch: Sendable {
        /// Whether each response is compressed, in order.
        case compressed([Bool])
        /// One connection, and at least so many PINGs from the client.
        case pings(Int)
    }

    static func watch(_ each: PairedCase) -> Watch? {
        switch each.name {
        case "server_compressed_unary", "server_compressed_streaming": .compressed([true, false])
        // Two a second for four seconds; ours two to four, and only while there is a call, for two and a half.
        case "keepalive": .pings(each.pairing.client == .ours ? 3 : 6)
        default: nil
        }
    }
}

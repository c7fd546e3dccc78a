internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// Serves on the Unix socket that is its only argument until it is stopped, with grpc-swift-2's default configuration but
/// for the number of calls at once: by default a connection with more than 100 is closed.
@main
enum Main {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: grpc-swift-benchmark SOCKET")
            return
        }
        let transport = HTTP2ServerTransport.Posix(
            address: .unixDomainSocket(path: CommandLine.arguments[1]), transportSecurity: .plaintext,
            config: .defaults { $0.http2.maxConcurrentStreams = 1024 })
        let server = GRPCServer(transport: transport, services: [BenchmarkService()])
        try await server.serve()
    }
}

internal import ArgumentParser
internal import InteropContracts
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import RPC
internal import UnixSignals

/// `rpc-interop serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves grpc.testing.TestService and BenchmarkService until SIGTERM.")

    @Option(
        help: ArgumentHelp("Where to listen: unix:PATH or unix-abstract:NAME.", valueName: "address"),
        transform: ListenAddress.init)
    var listen: ListenAddress

    @Option(help: ArgumentHelp("Event loops, each on a thread of its own.", valueName: "n"))
    var threads = System.coreCount

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be 1 to 1024") }
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let server = RPCServer(
            configuration: .init(address: listen.address), handlers: handlers, health: HealthService(),
            logger: Logger(label: "rpc-interop"), group: group)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await server.start()
        say("serving on \(listen.text)")
        for await _ in signals { break }
        await server.shutDown()
        try await group.shutdownGracefully()
    }

    private var handlers: [MethodHandler] {
        // UnimplementedCall is in the contract in order not to be served.
        let tests = TestService().handlers.filter { $0.method != GRPCTesting.TestServiceMethods.unimplementedCall }
        let reflection = ReflectionService(files: RPCFiles.all + InteropFiles.all)
        return tests + BenchmarkService().handlers + reflection.handlers
    }
}

/// `unix:PATH`, `unix:///PATH` or `unix-abstract:NAME`.
struct ListenAddress {
    let text: String
    let address: ServerAddress

    init(_ text: String) throws {
        self.text = text
        if text.hasPrefix("unix-abstract:") {
            address = .abstract(String(text.dropFirst("unix-abstract:".count)))
        } else if text.hasPrefix("unix:///") {
            address = .path(String(text.dropFirst("unix://".count)))
        } else if text.hasPrefix("unix:") {
            address = .path(String(text.dropFirst("unix:".count)))
        } else {
            throw ValidationError("\(text): give unix:PATH or unix-abstract:NAME")
        }
    }
}

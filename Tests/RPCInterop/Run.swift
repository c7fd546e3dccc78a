internal import ArgumentParser
internal import NIOPosix
internal import RPC

/// `rpc-interop run`.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the cases against a server, and prints PASS or FAIL for each.")

    @Option(
        help: ArgumentHelp("The server: unix:PATH or unix-abstract:NAME.", valueName: "address"),
        transform: Run.target)
    var target: RPCTarget

    @Option(name: .customLong("case"), help: ArgumentHelp("One case; see rpc-interop cases.", valueName: "name"))
    var name = "all"

    @Flag(help: "Leave out what a server can answer only if it sees whether a message came compressed.")
    var withoutProbe = false

    func validate() throws {
        guard name == "all" || InteropCase.all.contains(where: { $0.name == name }) else {
            throw ValidationError("there is no case \(name); see rpc-interop cases")
        }
    }

    func run() async throws {
        let peer = InteropPeer(
            target: target, group: MultiThreadedEventLoopGroup.singleton, seesCompression: !withoutProbe)
        var failed = 0
        for each in InteropCase.all where name == "all" || name == each.name {
            do {
                try await each.body(peer)
                say("PASS \(each.name)")
            } catch {
                failed += 1
                say("FAIL \(each.name): \(error)")
            }
        }
        if failed > 0 { throw ExitCode(1) }
    }

    private static func target(_ text: String) throws -> RPCTarget {
        do {
            return try RPCTarget(text)
        } catch {
            throw ValidationError("\(text): give unix:PATH or unix-abstract:NAME")
        }
    }
}

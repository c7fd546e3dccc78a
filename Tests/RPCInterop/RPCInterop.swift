internal import ArgumentParser
internal import Glibc

/// gRPC's interoperability tests over Unix sockets: a server for the clients of others, a client for their servers.
@main
struct RPCInterop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-interop", abstract: "gRPC's interoperability tests over Unix sockets.",
        subcommands: [Serve.self, Run.self, Cases.self])
}

/// Prints a line at once, also into a file that somebody waits for.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// `rpc-interop cases`.
struct Cases: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the names of the cases, one a line.")

    func run() {
        for each in InteropCase.all { print(each.name) }
    }
}

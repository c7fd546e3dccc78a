import Foundation
import TestProcesses
import Testing

/// Everything that needs the programs of others; their servers are shared.
@Suite("Interoperability", .sharedPeers)
struct Interoperability {}

extension Interoperability {
    @Suite("gRPC's interoperability cases over Unix sockets")
    struct Cases {
        @Test("a case passes in a pairing", arguments: PairedCase.all)
        func passes(_ each: PairedCase) async throws {
            let difference = CaseTable.difference(each)
            if difference?.0 == .skipped {
                print("SKIP \(each.testDescription) (\(difference?.why ?? ""))")
                return
            }
            let server = try await Peers.shared.shared(each.pairing.server)
            if let watch = CaseTable.watch(each) {
                let tap = try await SocketTap.start(in: Peers.shared.folder, to: server.target)
                try await run(each, target: tap.target)
                switch watch {
                case .compressed(let expected):
                    #expect(tap.server.messages.map { $0 == 1 } == expected, "the responses' compression on the wire")
                case .pings(let count):
                    #expect(tap.client.pings >= count)
                    #expect(tap.connections == 1)
                }
                await tap.stop()
            } else {
                try await run(each, target: server.target)
            }
            print("PASS \(each.testDescription)" + (difference.map { " (\($0.why))" } ?? ""))
        }

        private func run(_ each: PairedCase, target: String) async throws {
            var command = try await Peers.shared.client(each.pairing.client, target: target) + ["--case", each.name]
            if case .with(let arguments) = CaseTable.difference(each)?.0 { command += arguments }
            let ran = try await ChildProcess.run(
                command[0], Array(command.dropFirst()), environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                atMost: .seconds(90))
            try #require(ran.status == 0, "\(ran.printed.suffix(2000))")
            try #require(ran.printed.contains("PASS \(each.name)"), "\(ran.printed.suffix(2000))")
        }

        @Test("a large call passes over a socket without a path", arguments: Pairing.all)
        func withoutPath(_ pairing: Pairing) async throws {
            let name = "interop-\(UUID().uuidString)"
            let server = try await Peers.shared.start(pairing.server, listen: "unix-abstract:\(name)")
            let command =
                try await Peers.shared.client(pairing.client, target: server.target) + ["--case", "large_unary"]
            let ran = try await ChildProcess.run(
                command[0], Array(command.dropFirst()), environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                atMost: .seconds(90))
            server.process.signal(SIGTERM)
            #expect(ran.printed.contains("PASS large_unary"), "\(ran.printed.suffix(2000))")
            #expect(try await server.process.wait() == 0)
        }

        @Test("a client has every case, apart from those that the table leaves out", arguments: Implementation.allCases)
        func hasEveryCase(_ implementation: Implementation) async throws {
            let command = try await Peers.shared.listing(implementation)
            let listed = try await ChildProcess.run(
                command[0], Array(command.dropFirst()), environment: ["PYTHONDONTWRITEBYTECODE": "1"])
            let names = Set(listed.printed.split(separator: "\n").map(String.init))
            let expected = CaseTable.names.filter { name in
                let pairing = Pairing(client: implementation, server: .ours)
                return CaseTable.difference(PairedCase(pairing: pairing, name: name))?.0 != .skipped
            }
            #expect(names == Set(expected))
            #expect(names.isDisjoint(with: CaseTable.leftOut.keys))
        }
    }
}

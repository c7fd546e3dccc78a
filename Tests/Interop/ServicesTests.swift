import Foundation
import TestProcesses
import Testing

@Suite("Clients that others wrote")
struct ServicesTests {
    @Test("a grpcio client generated from the public protos calls every service over its socket")
    func python() async throws {
        let interpreter = try Peers.shared.python()
        try await RunningSamtal.with { samtal in
            let stubs = "\(samtal.folder)/stubs"
            try FileManager.default.createDirectory(atPath: stubs, withIntermediateDirectories: true)
            let ran = try await ChildProcess.run(
                interpreter,
                [
                    Peers.shared.script("client.py"), Peers.shared.repository.appending(path: "Protos").path, stubs,
                    samtal.data,
                ],
                environment: ["PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(240))
            #expect(ran.status == 0, "\(ran.printed.suffix(4000))")
            #expect(ran.printed.contains("Ran 12 tests"), "\(ran.printed.suffix(4000))")
        }
    }

    @Test("a grpc-go client, generated too, lives a session on their sockets and one through the gateway's")
    func go() async throws {
        let programs = try await Peers.shared.built("go")
        try await RunningSamtal.with { samtal in
            let ran = try await ChildProcess.run(
                "\(programs)/samtal-client", [samtal.data], atMost: .seconds(150))
            #expect(ran.status == 0, "\(ran.printed.suffix(4000))")
            for name in ["directly", "through the gateway", "health", "reflection", "close"] {
                #expect(ran.printed.contains("PASS \(name)"))
            }
            // It has sent what it should and closed its connections as it should.
            for service in RunningSamtal.Service.allCases {
                let lines = try String(contentsOfFile: samtal.log(service), encoding: .utf8)
                #expect(!lines.contains("connection ended for"), "\(lines.suffix(2000))")
            }
        }
    }
}

import Foundation
import TestProcesses
import Testing

@Suite("Clients that others wrote")
struct PythonClientTests {
    @Test("a grpcio client generated from the public protos calls every service over its socket")
    func python() async throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let repository = tests.deletingLastPathComponent().deletingLastPathComponent()
        let interpreter =
            ProcessInfo.processInfo.environment["SAMTAL_PYTHON"]
            ?? repository.appending(path: ".build/interop-venv/bin/python").path
        try #require(
            FileManager.default.isExecutableFile(atPath: interpreter),
            "no Python with grpcio at \(interpreter): Scripts/test makes one")
        try await RunningSamtal.with { samtal in
            let stubs = "\(samtal.folder)/stubs"
            try FileManager.default.createDirectory(atPath: stubs, withIntermediateDirectories: true)
            let ran = try await ChildProcess.run(
                interpreter,
                [
                    tests.appending(path: "client.py").path, repository.appending(path: "Protos").path, stubs,
                    samtal.data,
                ],
                environment: ["PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(240))
            #expect(ran.status == 0, "\(ran.printed.suffix(4000))")
            #expect(ran.printed.contains("Ran 11 tests"), "\(ran.printed.suffix(4000))")
        }
    }
}

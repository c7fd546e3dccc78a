import Foundation
import TestProcesses
import Testing

/// One after the other: three browsers at a time are enough for one machine, and some of what is seen here is time.
@Suite("In Chromium", .serialized)
enum Chromium {}

/// One of the Python programs here, which drive Chromium.
enum BrowserProgram {
    /// Runs it with a link that signs the administrator in, and a folder of its own.
    ///
    /// - Parameters:
    ///   - first: the arguments before the address and the link.
    ///   - last: the arguments after them and the folder.
    static func run(
        _ name: String, _ first: [String] = [], _ last: [String] = [], in samtal: RunningSamtal,
        atMost limit: Duration = .seconds(300)
    ) async throws -> (status: Int32, printed: String, folder: String) {
        let (interpreter, program) = try found(name)
        let address = try samtal.httpAddress()
        let signIn = try await samtal.signInLink("anna@example.se", url: address)
        let folder = "\(samtal.folder)/\(UUID().uuidString.prefix(8))"
        // The program gives up by itself before it is ended here, so that it ends its browsers in any case.
        let run = try await ChildProcess.run(
            interpreter, [program] + first + [address, signIn, folder] + last,
            environment: ["PYTHONDONTWRITEBYTECODE": "1"], atMost: limit)
        return (run.status, run.printed, folder)
    }

    private static func found(_ name: String) throws -> (interpreter: String, program: String) {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let repository = tests.deletingLastPathComponent().deletingLastPathComponent()
        let interpreter =
            ProcessInfo.processInfo.environment["SAMTAL_PYTHON"]
            ?? repository.appending(path: ".build/interop-venv/bin/python").path
        try #require(
            FileManager.default.isExecutableFile(atPath: interpreter),
            "no Python with selenium at \(interpreter): Scripts/test makes one")
        return (interpreter, tests.appending(path: name).path)
    }
}

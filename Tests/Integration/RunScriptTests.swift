import Foundation
import TestProcesses
import Testing

@Suite("Scripts/run, before and after the build")
struct RunScriptTests {
    private static let scripts = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scripts").path

    /// Runs one of the functions that the script works with.
    private func run(_ line: String) async throws -> (status: Int32, printed: String) {
        let sourced = "set -euo pipefail; . '\(Self.scripts)/common.sh'; . '\(Self.scripts)/addresses.sh'"
        return try await ChildProcess.run("/bin/bash", ["-c", "\(sourced); \(line)"])
    }

    @Test(
        "a region or an address that can't be used is refused before anything is built or made",
        arguments: [
            ["--region", "sverige"], ["--region", "eu_1"], ["--region", "se/x"],
            ["--http", "localhost"], ["--http", "::1:80"], ["--http", "a b:80"], ["--http", "h:65536"],
            ["--http", "http://h:80"], ["--public-url", "samtal.example.org"], ["--public-url", "https://"],
            ["--public-url", "https://h/admin"], ["--public-url", "https://h h"], ["--trusted-proxy", "proxy"],
            ["--client-address-header", "x-real-ip"],
        ])
    func refused(arguments: [String]) async throws {
        let folder = "/tmp/samtal-refused-\(UUID().uuidString)"
        let ran = try await ChildProcess.run("\(Self.scripts)/run", arguments + ["--data", folder])
        #expect(ran.status == 1)
        #expect(ran.printed.hasPrefix("run: \(arguments[0]) takes "), "\(ran.printed)")
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test(
        "the address that is printed is one that works",
        arguments: [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:80", "http://[::1]:80"), ("[::1]:80", "http://[::1]:80"),
            ("samtal.example.org:80", "http://samtal.example.org:80"),
        ])
    func address(served: String, printed: String) async throws {
        #expect(try await run("check_http '\(served)'; local_url '\(served)'").printed == "\(printed)\n")
    }

    @Test("serving other machines in clear text is said loudly, and how to do better")
    func clearText() async throws {
        for served in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "samtal.example.org:8080"] {
            let ran = try await run("warn_of_clear_text '\(served)' ''")
            #expect(ran.status == 0)
            #expect(ran.printed.contains("NOT ENCRYPTED"))
            #expect(ran.printed.contains("--public-url https://HOST --trusted-proxy 127.0.0.1"))
        }
        for served in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.0.1.1:80"] {
            #expect(try await run("warn_of_clear_text '\(served)' ''").printed == "")
        }
    }
}

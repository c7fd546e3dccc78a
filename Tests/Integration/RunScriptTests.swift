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

    @Test("a log is bounded: so many are kept, the newest first, and its writer goes on in the emptied one")
    func boundedLog() async throws {
        let ran = try await run(
            """
            folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; log=$folder/chat.log
            exec 5>>"$log"
            bound_log "$log" 10 2; [ ! -e "$log.1" ]
            for number in 1 2 3 4; do echo "line number $number" >&5; bound_log "$log" 10 2; done
            [ ! -s "$log" ]; echo short >&5; bound_log "$log" 10 2
            cat "$log" "$log.1" "$log.2"; ls "$folder" | wc -l
            bound_log "$folder/none.log" 10 2; [ ! -e "$folder/none.log" ]
            """)
        #expect(ran.status == 0)
        #expect(ran.printed == "short\nline number 4\nline number 3\n3\n", "\(ran.printed)")
    }

    @Test("on a full disk a log is bounded without a copy", .enabled(if: SmallDisk.isAllowed))
    func boundedOnFullDisk() async throws {
        let disk = try SmallDisk(on: "/tmp/samtal-log-\(UUID().uuidString)", kilobytes: 256)
        defer { disk.unmount() }
        let log = "\(disk.path)/chat.log"
        let line = String(repeating: "x", count: 100_000)
        try line.write(toFile: log, atomically: false, encoding: .utf8)
        try disk.fill()
        #expect(try await run("bound_log '\(log)' 1000 2").status == 0)
        #expect(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int == 0)
        #expect(disk.files == ["chat.log"])
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

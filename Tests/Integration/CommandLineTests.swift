import Foundation
import TestProcesses
import Testing

@Suite("The operator's command line")
struct CommandLineTests {
    @Test("set-up, sign-in link and status work as the help text shows them")
    func setUp() async throws {
        try await RunningSamtal.with { samtal in
            func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                try await ChildProcess.run("samtal", arguments + ["--data", samtal.data])
            }
            let created = try await run(
                "organisation", "create", "Exempelredaktionen", "--administrator", "anna@example.se", "--name",
                "Anna Exempel")
            #expect(created.status == 0, "\(created.printed)")
            let organisation = try #require(created.printed.split(separator: " ").dropFirst().first.map(String.init))
            let agreement = try await run(
                "agreement", "record", organisation, "--reference", "DPA-1", "--signed", "2026-01-15", "--cap-days",
                "30")
            #expect(agreement.printed.contains("version 1"))
            let ledger = "\(samtal.folder)/ledger.json"
            let none = try await run("certificates", organisation, "--output", ledger)
            #expect(none.status == 1 && none.printed.contains("no certificate"))
            #expect(!FileManager.default.fileExists(atPath: ledger))
            let link = try await run("sign-in-link", "anna@example.se", "--url", "http://example.org")
            #expect(link.printed.hasPrefix("http://example.org/admin#code="))
            let status = try await run("status")
            #expect(status.status == 0)
            #expect(status.printed.components(separatedBy: " serving").count == 5)
            #expect(status.printed.components(separatedBy: "in \(RunningSamtal.region), as declared").count == 5)
        }
    }

    @Test("an organisation without an agreement is found by a list, and one that there is not gets none")
    func withoutAgreement() async throws {
        try await RunningSamtal.with([.identity, .retention]) { samtal in
            func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                try await ChildProcess.run("samtal", arguments + ["--data", samtal.data])
            }
            let names = ["Exempelredaktionen", "Exempelbanken", "Exempelverket"]
            for name in names { #expect(try await run("organisation", "create", name).status == 0) }
            let all = try await run("organisation", "list")
            let lines = all.printed.split(separator: "\n").map(String.init)
            #expect(lines.count == 3)
            #expect(try await run("organisation", "list", "--without-agreement").printed == all.printed)
            let bank = try #require(lines.first { $0.hasSuffix("Exempelbanken") }?.split(separator: " ").first)
            func record(_ id: String) async throws -> (status: Int32, printed: String) {
                try await run(
                    "agreement", "record", id, "--reference", "DPA-1", "--signed", "2026-01-15", "--cap-days", "30")
            }
            #expect(try await record(String(bank)).status == 0)
            let left = try await run("organisation", "list", "--without-agreement")
            #expect(left.status == 0)
            let others = lines.filter { !$0.hasSuffix("Exempelbanken") }
            #expect(left.printed.split(separator: "\n").map(String.init) == others)

            let unknown = try await record("org-none")
            #expect(unknown.status == 1)
            #expect(unknown.printed.contains("organisation: not found"), "\(unknown.printed)")
            #expect(unknown.printed.contains("samtal organisation list"), "\(unknown.printed)")
            try await samtal.end(.identity, signal: SIGTERM)
            let away = try await record(String(bank))
            #expect(away.status == 1 && away.printed.contains("identity"), "\(away.printed)")
        }
    }

    @Test("with nothing running a command says what to start")
    func nothingRunning() async throws {
        let ran = try await ChildProcess.run("samtal", ["organisation", "list", "--data", "/tmp/no-such-samtal"])
        #expect(ran.status == 1)
        #expect(ran.printed.contains("Scripts/run"))
        let status = try await ChildProcess.run("samtal", ["status", "--data", "/tmp/no-such-samtal"])
        #expect(status.status == 1)
        #expect(status.printed.components(separatedBy: "unreachable").count == 5)
    }

    @Test("a second service on the same data folder is refused, and the first goes on")
    func secondInstance() async throws {
        try await RunningSamtal.with([.identity]) { samtal in
            let second = try await ChildProcess.run("samtal-identity", ["--data", samtal.data, "--region", "se"])
            #expect(second.status == 1)
            #expect(second.printed.split(separator: "\n").count == 1, "\(second.printed)")
            let list = try await ChildProcess.run("samtal", ["organisation", "list", "--data", samtal.data])
            #expect(list.status == 0)
        }
    }
}

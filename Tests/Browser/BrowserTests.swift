import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("The web pages in a browser")
struct BrowserTests {
    @Test("three people play one chat in Chromium, from the sign-in link to a certificate that verifies")
    func pages() async throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let repository = tests.deletingLastPathComponent().deletingLastPathComponent()
        let interpreter =
            ProcessInfo.processInfo.environment["SAMTAL_PYTHON"]
            ?? repository.appending(path: ".build/interop-venv/bin/python").path
        try #require(
            FileManager.default.isExecutableFile(atPath: interpreter),
            "no Python with selenium at \(interpreter): Scripts/test makes one")
        try await RunningSamtal.with { samtal in
            func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                try await ChildProcess.run("samtal", arguments)
            }
            let controller = try await TestOrganisation.create(in: samtal)
            let erased = try await controller.openSession(in: samtal, title: "Raderas på instruktion")
            _ = try await samtal.chat.endSession(.init(sessionID: erased), options: controller.administrator)
            let erasure = try await run(
                "erase", erased, "--confirm", erased, "--instruction", "Ärende 2026/17", "--data", samtal.data, "--output",
                "\(samtal.folder)/on-instruction.json")
            try #require(erasure.status == 0, "\(erasure.printed)")
            let link = try await run(
                "sign-in-link", "anna@example.se", "--url", samtal.httpAddress(), "--data", samtal.data)
            try #require(link.status == 0, "\(link.printed)")
            let address = try #require(link.printed.split(whereSeparator: \.isWhitespace).first.map(String.init))
            let colleague = try await run(
                "administrator", "add", controller.organisationID, "bo@example.se", "Bo Ek", "--data", samtal.data)
            try #require(colleague.status == 0, "\(colleague.printed)")
            let second = try await run(
                "sign-in-link", "bo@example.se", "--url", samtal.httpAddress(), "--data", samtal.data)
            let colleagues = try #require(second.printed.split(whereSeparator: \.isWhitespace).first.map(String.init))
            let key = "\(samtal.folder)/ledger-key.json"
            let handedOver = try await run("ledger-key", "--data", samtal.data, "--output", key)
            #expect(handedOver.status == 0, "\(handedOver.printed)")
            let browsers = "\(samtal.folder)/browsers"
            // The program gives up by itself before it is ended here, so that it ends its browsers in any case.
            let played = try await ChildProcess.run(
                interpreter, [tests.appending(path: "pages.py").path, address, colleagues, browsers],
                environment: ["PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(200))
            #expect(played.status == 0, "\(played.printed.suffix(6000))")
            #expect(played.printed.contains("steps seen"), "\(played.printed.suffix(6000))")

            // What the administrator downloaded proves the erasure to anybody who got the public key before it.
            let downloads = "\(browsers)/moderator/downloads"
            let certificate = try #require(
                FileManager.default.contentsOfDirectory(atPath: downloads).first { $0.hasSuffix(".json") })
            let verified = try await run("verify", "\(downloads)/\(certificate)", "--key", key)
            #expect(verified.status == 0, "\(verified.printed)")
            #expect(verified.printed.contains("VALID"), "\(verified.printed)")
        }
    }
}

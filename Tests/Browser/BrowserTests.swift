import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

extension Chromium {
    @Suite("The web pages in a browser")
    struct BrowserTests {
        @Test("three people play one chat in Chromium, from the sign-in link to a certificate that verifies")
        func pages() async throws {
            let contacts = ["--contact", "Åsa Ek <avtal@example.se>", "--support", "hjalp@example.se"]
            try await RunningSamtal.with(gatewayOptions: contacts) { samtal in
                func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                    try await ChildProcess.run("samtal", arguments, environment: samtal.actingAdministrator())
                }
                let controller = try await TestOrganisation.create(in: samtal)
                let erased = try await controller.openSession(in: samtal, title: "Raderas på instruktion")
                _ = try await samtal.chat.endSession(.init(sessionID: erased), options: controller.administrator)
                let erasure = try await run(
                    "erase", erased, "--confirm", erased, "--instruction", "Ärende 2026/17", "--data", samtal.data,
                    "--output", "\(samtal.folder)/on-instruction.json")
                try #require(erasure.status == 0, "\(erasure.printed)")
                let colleague = try await run(
                    "administrator", "add", controller.organisationID, "bo@example.se", "Bo Ek", "--data", samtal.data)
                try #require(colleague.status == 0, "\(colleague.printed)")
                let third = try await run(
                    "administrator", "add", controller.organisationID, "eva@example.se", "Eva Ek", "--data", samtal.data
                )
                try #require(third.status == 0, "\(third.printed)")
                let instructed = try await run(
                    "sign-in-link", "eva@example.se", "--instruction", "Ärende 2026/18", "--data", samtal.data)
                try #require(instructed.status == 0, "\(instructed.printed)")
                let colleagues = try await samtal.signInLink("bo@example.se", url: samtal.httpAddress())
                let key = "\(samtal.folder)/ledger-key.json"
                let handedOver = try await run("ledger-key", "--data", samtal.data, "--output", key)
                #expect(handedOver.status == 0, "\(handedOver.printed)")
                let played = try await BrowserProgram.run(
                    "pages.py", [], [colleagues], in: samtal, atMost: .seconds(300))
                #expect(played.status == 0, "\(played.printed.suffix(6000))")
                #expect(played.printed.contains("steps seen"), "\(played.printed.suffix(6000))")

                // What the administrator downloaded proves the erasure to anybody who got the public key before it.
                let downloads = "\(played.folder)/moderator/downloads"
                let certificate = try #require(
                    FileManager.default.contentsOfDirectory(atPath: downloads).first { $0.hasSuffix(".json") })
                let verified = try await run("verify", "\(downloads)/\(certificate)", "--key", key)
                #expect(verified.status == 0, "\(verified.printed)")
                #expect(verified.printed.contains("VALID"), "\(verified.printed)")
            }
        }
    }
}

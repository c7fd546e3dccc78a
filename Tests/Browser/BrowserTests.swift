import Foundation
import TestProcesses
import Testing

extension Chromium {
    @Suite("The web pages in a browser")
    struct BrowserTests {
        @Test("three people play one chat in Chromium, from the sign-in link to a certificate that verifies")
        func pages() async throws {
            try await RunningSamtal.with { samtal in
                func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                    try await ChildProcess.run("samtal", arguments)
                }
                _ = try await TestOrganisation.create(in: samtal)
                let key = "\(samtal.folder)/ledger-key.json"
                let handedOver = try await run("ledger-key", "--data", samtal.data, "--output", key)
                #expect(handedOver.status == 0, "\(handedOver.printed)")
                let played = try await BrowserProgram.run("pages.py", in: samtal, atMost: .seconds(200))
                #expect(played.status == 0, "\(played.printed.suffix(6000))")
                #expect(played.printed.contains("20 of 20 steps seen"), "\(played.printed.suffix(6000))")

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

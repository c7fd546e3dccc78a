import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

extension Chromium {
    @Suite("What is a little out of the ordinary, in a browser")
    struct DetailsTests {
        @Test("one day is one day, nothing is cut, a held key decides once, and an outage is shown")
        func details() async throws {
            try await RunningSamtal.with { samtal in
                let organisation = try await TestOrganisation.create(in: samtal)
                let options = organisation.administrator
                _ = try await samtal.retention.setPolicy(
                    .init(organisationID: organisation.organisationID, retentionDays: 1), options: options)
                let session = try await samtal.chat.createSession(.init(title: "Snart"), options: options)
                let chat = try #require(samtal.child(.chat)?.identifier)
                let away = "\(samtal.folder)/away"
                let played = Task {
                    // However it ends, it is waited for no longer.
                    defer { _ = FileManager.default.createFile(atPath: away, contents: nil) }
                    return try await BrowserProgram.run(
                        "details.py", [], [session.sessionID, "\(chat)", away], in: samtal, atMost: .seconds(200))
                }
                try await eventually("chat is away, and that is shown", within: .seconds(200)) {
                    FileManager.default.fileExists(atPath: away)
                }
                if samtal.child(.chat)?.exitStatus != nil { try await samtal.start(.chat) }
                let seen = try await played.value
                #expect(seen.status == 0, "\(seen.printed.suffix(6000))")
                #expect(seen.printed.contains("all of it was seen"), "\(seen.printed.suffix(6000))")
            }
        }
    }
}

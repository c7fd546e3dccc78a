import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("The retention time is the controller's to set")
struct RetentionTimeTests {
    private static let day: TimeInterval = 86_400

    @Test("set by the command line with an administrator's token, it moves the dates that everybody is shown")
    func commandLine() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let id = organisation.organisationID
            let token = "\(samtal.folder)/sign-in.json"
            try await samtal.signInCommandLine(as: "anna@example.se", keeping: token)
            func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                try await ChildProcess.run("samtal", arguments + ["--data", samtal.data])
            }
            let session = try await organisation.openSession(in: samtal)
            let ended = try await samtal.chat.endSession(
                .init(sessionID: session), options: organisation.administrator)
            let end = try #require(ended.endTime?.date)
            try await eventually("retention knows the end") {
                let preview = try await samtal.retention.previewPolicy(
                    .init(organisationID: id, retentionDays: 3), options: organisation.administrator)
                return preview.movedSessions == 1
            }

            let nobody = try await run("policy", "set", id, "3")
            #expect(nobody.status == 1 && nobody.printed.contains("administrator"), "\(nobody.printed)")
            let above = try await run("policy", "set", id, "31", "--token-file", token)
            #expect(above.status == 1 && above.printed.contains("retention_days"), "\(above.printed)")
            let preview = try await run("policy", "preview", id, "3", "--token-file", token)
            #expect(preview.status == 0 && preview.printed.contains("erased earlier      1"), "\(preview.printed)")
            #expect(preview.printed.contains(session))
            let set = try await run("policy", "set", id, "3", "--token-file", token)
            #expect(set.status == 0 && set.printed.contains("3 days"), "\(set.printed)")
            try await eventually("chat shows the new date") {
                let shown = try await samtal.chat.getSession(.init(sessionID: session))
                guard let deleteTime = shown.deleteTime?.date else { return false }
                return shown.retentionDays == 3
                    && abs(deleteTime.timeIntervalSince(end.addingTimeInterval(3 * Self.day))) < 0.01
            }

            let zero = try await run("policy", "set", id, "0", "--erase", "1", "--token-file", token)
            #expect(zero.status == 1 && zero.printed.contains("--confirm-zero-days"), "\(zero.printed)")
            let unexpected = try await run("policy", "set", id, "0", "--confirm-zero-days", "--token-file", token)
            #expect(unexpected.status == 1 && unexpected.printed.contains("--erase"), "\(unexpected.printed)")
            _ = try await samtal.chat.getSession(.init(sessionID: session))
            let erased = try await run(
                "policy", "set", id, "0", "--erase", "1", "--confirm-zero-days", "--token-file", token)
            #expect(erased.status == 0, "\(erased.printed)")
            try await eventually("the session is gone, with a certificate") {
                let certificate = try? await samtal.retention.getCertificate(
                    .init(sessionID: session), options: organisation.administrator)
                return certificate != nil
            }
        }
    }

    @Test(
        "a lower cap waits for the controller, is confirmed over the command line, and survives a crash unheard by chat"
    )
    func lowerCap() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let id = organisation.organisationID
            let token = "\(samtal.folder)/sign-in.json"
            try await samtal.signInCommandLine(as: "anna@example.se", keeping: token)
            func run(_ arguments: String...) async throws -> (status: Int32, printed: String) {
                try await ChildProcess.run("samtal", arguments + ["--data", samtal.data])
            }
            let session = try await organisation.openSession(in: samtal)
            let recorded = try await run(
                "agreement", "record", id, "--reference", "DPA-2", "--signed", "2026-02-01", "--cap-days", "5")
            #expect(
                recorded.printed.contains("version 2") && recorded.printed.contains("waiting"), "\(recorded.printed)")
            let newer = try await organisation.openSession(in: samtal)
            #expect(try await samtal.chat.getSession(.init(sessionID: newer)).retentionDays == 5)
            #expect(try await samtal.chat.getSession(.init(sessionID: session)).retentionDays == 30)

            // Chat is away when it is confirmed, and retention is gone before chat is back.
            try await samtal.end(.chat, signal: SIGKILL)
            let confirmed = try await run("agreement", "confirm", id, "--version", "2", "--token-file", token)
            #expect(confirmed.status == 0, "\(confirmed.printed)")
            try await samtal.end(.retention, signal: SIGKILL)
            try await samtal.start(.chat)
            try await samtal.start(.retention)
            try await eventually("chat knows the days", within: .seconds(90)) {
                (try? await samtal.chat.getSession(.init(sessionID: session)))?.retentionDays == 5
            }
            let shown = try await run("agreement", "show", id)
            #expect(shown.printed.contains("DPA-2") && !shown.printed.contains("waiting"), "\(shown.printed)")
        }
    }
}

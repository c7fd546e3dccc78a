import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

extension Chromium {
    @Suite("The retention time in a browser")
    struct RetentionTimePageTests {
        private static let day: TimeInterval = 86_400

        @Test(
            "an administrator confirms an agreement, sets the retention time, and is led from the end of a chat to its erasure"
        )
        func pages() async throws {
            try await RunningSamtal.with { samtal in
                let organisation = try await TestOrganisation.create(in: samtal)
                let old = try await session("Tio dagar sedan", ended: 10, of: organisation, in: samtal)
                let recent = try await session("Nyss avslutat", ended: 0, of: organisation, in: samtal)
                let open = try await organisation.openSession(in: samtal, title: "Pågår än")
                _ = try await samtal.retention.recordAgreement(
                    .init(
                        organisationID: organisation.organisationID, kind: .standard, reference: "DPA-2",
                        signedDate: "2026-02-01", capDays: 20))
                let email = "bo@example.se"
                _ = try await samtal.identity.addAdministrator(
                    .init(organisationID: organisation.organisationID, email: email, displayName: "Bo Exempel"),
                    options: organisation.administrator)
                let link = try await samtal.signInLink(email, url: samtal.httpAddress())

                let played = try await BrowserProgram.run("retention.py", [], [link, old, recent, open], in: samtal)
                #expect(played.status == 0, "\(played.printed.suffix(6000))")
                #expect(played.printed.contains("all steps seen"), "\(played.printed.suffix(6000))")
            }
        }

        /// A session that ended days ago, as retention has it: chat takes the date over when it reports the end.
        private func session(
            _ title: String, ended days: Double, of organisation: TestOrganisation, in samtal: RunningSamtal
        ) async throws -> String {
            let id = try await organisation.openSession(in: samtal, title: title)
            if days > 0 {
                _ = try await samtal.retention.endSession(
                    .init(
                        sessionID: id, endTime: GoogleProtobuf.Timestamp(Date(timeIntervalSinceNow: -days * Self.day))))
            }
            let ended = try await samtal.chat.endSession(.init(sessionID: id), options: organisation.administrator)
            try await eventually("retention knows the end") {
                let session = try await samtal.chat.getSession(.init(sessionID: id))
                let deadlines = try await samtal.retention.getSessionDeadlines(.init(sessionIDs: [id])).deadlines
                return deadlines.first?.deleteTime != nil && (days == 0 || session.deleteTime != ended.deleteTime)
            }
            return id
        }
    }
}

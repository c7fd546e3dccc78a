import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("Live feeds across a restore")
struct FeedEpochTests {
    /// Follows as a browser does that comes back, until the present state has come.
    private func follow(_ session: String, after id: String, of samtal: RunningSamtal) async throws -> [String] {
        let heard = "\(samtal.folder)/heard-\(UInt32.random(in: 0 ... .max))"
        let header = id.isEmpty ? [] : ["-H", "Last-Event-ID: \(id)"]
        let curl = try ChildProcess(
            "/usr/bin/curl",
            ["-sN", "--max-time", "30", "\(samtal.httpAddress())/v1/sessions/\(session)/events"] + header, log: heard)
        defer { curl.signal(SIGKILL) }
        try await eventually("the present state comes") { curl.printed.contains("event: caught-up\n") }
        return curl.printed.split(separator: "\n").map(String.init)
    }

    private func ask(_ text: String, in session: String, of organisation: TestOrganisation, _ samtal: RunningSamtal)
        async throws
    {
        let question = try await samtal.chat.askQuestion(
            .init(sessionID: session, text: text, requestID: UUID().uuidString),
            options: try await samtal.join(session))
        _ = try await samtal.chat.publishQuestion(
            .init(sessionID: session, questionID: question.questionID), options: organisation.administrator)
    }

    @Test("an older folder put back under a new epoch: a browser that was further gets all there is, never silence")
    func restored() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat, .gateway]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            try await ask("Kvar?", in: session, of: organisation, samtal)
            let chat = "\(samtal.data)/chat"
            let older = "\(samtal.folder)/older"
            try await samtal.end(.chat, signal: SIGTERM)
            try FileManager.default.copyItem(atPath: chat, toPath: older)
            try await samtal.start(.chat)
            try await ask("Borta?", in: session, of: organisation, samtal)
            let before = try await follow(session, after: "", of: samtal)
            let id = try #require(before.last { $0.hasPrefix("id: ") }).dropFirst(4)
            // An ordinary start: nothing comes again.
            try await samtal.end(.chat, signal: SIGTERM)
            try await samtal.start(.chat)
            let quiet = try await follow(session, after: String(id), of: samtal)
            #expect(!quiet.contains("event: reset") && !quiet.contains("event: question"))

            try await samtal.end(.chat, signal: SIGTERM)
            try FileManager.default.removeItem(atPath: chat)
            try FileManager.default.copyItem(atPath: older, toPath: chat)
            #expect(FileManager.default.createFile(atPath: "\(chat)/restored", contents: nil))
            try await samtal.start(.chat)
            #expect(samtal.child(.chat)?.printed.contains("the store was restored") == true)
            // Whose position would have been reached again by another question.
            try await ask("Ny?", in: session, of: organisation, samtal)
            try await eventually("the gateway shows what there is") {
                let events = try await follow(session, after: String(id), of: samtal)
                let texts = events.filter { $0.hasPrefix("data: ") }.joined()
                return events.contains("event: reset") && texts.contains("Kvar?") && texts.contains("Ny?")
                    && !texts.contains("Borta?")
            }
            // By RPC, also through the gateway's own socket.
            for service in [RunningSamtal.Service.chat, .gateway] {
                let client = ChatV1.ChatServiceClient(channel: samtal.channel(service))
                var changes: [ChatV1.SessionEvent] = []
                for try await event in client.watchSession(.init(sessionID: session, position: String(id))) {
                    changes.append(event)
                    if event.change == .caughtUp(true) { break }
                }
                #expect(changes.first?.change == .reset(true))
                let texts = changes.compactMap { event in
                    if case .question(let question) = event.change { question.text } else { nil }
                }
                #expect(texts == ["Kvar?", "Ny?"])
            }
        }
    }
}

import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("Erasure, searched for in the bytes of every file")
struct ErasureTests {
    @Test("after an erasure neither the session's key nor any of its sealed rows is in any file")
    func noBytesLeft() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let kept = try await organisation.openSession(in: samtal, title: "Ska vara kvar")
            let erased = try await organisation.openSession(in: samtal, title: "Ska bort")
            let marker = "PERSONUPPGIFT-\(UUID().uuidString)"
            for (session, count) in [(kept, 5), (erased, 60)] {
                let participant = try await samtal.join(session, name: marker)
                for number in 0..<count {
                    _ = try await samtal.chat.askQuestion(
                        .init(sessionID: session, text: "\(marker) \(number)", requestID: "request-\(number)"),
                        options: participant)
                }
            }
            _ = try await samtal.chat.endSession(.init(sessionID: erased), options: organisation.administrator)

            // The bytes that must be nowhere, and those that must disappear: the key itself is only ever in a slot, wrapped.
            let key = try await samtal.retention.getSessionKey(.init(sessionID: erased)).key
            let secrets = [Data(key), Data(marker.utf8)]
            let rows = [Data(erased.utf8)]
            let before = try ByteSearch.files(under: samtal.data)
            for file in before { #expect(try ByteSearch.found(secrets, in: file).isEmpty, "in \(file)") }
            #expect(try before.contains { try $0.contains("/chat/") && !ByteSearch.found(rows, in: $0).isEmpty })

            let certificate = try await samtal.retention.eraseSession(
                .init(sessionID: erased, confirmSessionID: erased), options: organisation.administrator)
            #expect(certificate.statement.contains("\"questions\":60"))

            for file in try ByteSearch.files(under: samtal.data) + RunningSamtal.Service.allCases.map(samtal.log)
            where FileManager.default.fileExists(atPath: file) {
                #expect(try ByteSearch.found(secrets, in: file).isEmpty, "in \(file)")
                if file.contains("/chat/sessions/") {
                    #expect(!file.contains(erased))
                    #expect(try ByteSearch.found(rows, in: file).isEmpty, "in \(file)")
                }
            }
            // The index, where the session was listed, is rewritten soon after.
            try await eventually("the id is in none of chat's files") {
                try ByteSearch.files(under: samtal.data).filter { $0.contains("/chat/") }
                    .allSatisfy { try ByteSearch.found(rows, in: $0).isEmpty }
            }
            await expectStatus(.notFound) {
                try await samtal.chat.getSession(.init(sessionID: erased), options: organisation.administrator)
            }
            let others = try await samtal.chat.listQuestions(
                .init(sessionID: kept), options: organisation.administrator)
            #expect(others.questions.count == 5)
            #expect(others.questions.allSatisfy { $0.text.hasPrefix(marker) && $0.authorName == marker })
        }
    }

    @Test("a session of another organisation can be neither read, exported nor erased")
    func otherOrganisation() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let owner = try await TestOrganisation.create(in: samtal)
            let other = try await TestOrganisation.create(in: samtal, name: "Byrån", email: "bo@example.org")
            let session = try await owner.openSession(in: samtal)
            await expectStatus(.notFound) {
                try await samtal.chat.endSession(.init(sessionID: session), options: other.administrator)
            }
            await expectStatus(.notFound) {
                try await samtal.retention.eraseSession(
                    .init(sessionID: session, confirmSessionID: session), options: other.administrator)
            }
            await expectStatus(.notFound) {
                for try await _ in samtal.retention.exportSession(
                    .init(sessionID: session), options: other.administrator)
                {}
            }
            #expect(try await samtal.chat.getSession(.init(sessionID: session)).state == .open)
        }
    }
}

/// Runs a call that must fail with this status.
func expectStatus<Result>(
    _ code: RPCError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws -> Result
) async {
    do {
        _ = try await call()
        Issue.record("the call succeeded; \(code) was expected", sourceLocation: sourceLocation)
    } catch let error as RPCError {
        #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
        #expect(!error.message.isEmpty, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}

import Contracts
import Foundation
import RPC
import RetentionCore
import Synchronization
import TestProcesses
import Testing

@Suite("Backup and restore, by the processes")
struct BackupTests {
    static let services: [RunningSamtal.Service] = [.identity, .retention, .chat]

    static func run(_ samtal: RunningSamtal, _ arguments: [String]) async throws -> (status: Int32, printed: String) {
        try await ChildProcess.run("samtal", arguments + ["--data", samtal.data])
    }

    static func stop(_ samtal: RunningSamtal, _ services: [RunningSamtal.Service] = services) async throws {
        for service in services.reversed() { try await samtal.end(service, signal: SIGTERM) }
    }

    static func start(_ samtal: RunningSamtal, _ services: [RunningSamtal.Service] = services) async throws {
        for service in services { try await samtal.start(service) }
    }

    static func sessionFiles(_ samtal: RunningSamtal) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: samtal.data + "/chat/sessions")
    }

    @discardableResult
    static func erase(
        _ session: String, _ organisation: TestOrganisation, in samtal: RunningSamtal
    ) async throws -> RetentionV1.Certificate {
        _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
        return try await samtal.retention.eraseSession(
            .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
    }

    private final class End: Sendable {
        private let isThere = Mutex(false)
        var hasCome: Bool { isThere.withLock { $0 } }
        func come() { isThere.withLock { $0 = true } }
    }

    private static func ask(
        _ text: String, in session: String, as participant: CallOptions, _ samtal: RunningSamtal
    ) async throws {
        _ = try await samtal.chat.askQuestion(
            .init(sessionID: session, text: text, requestID: UUID().uuidString.lowercased()), options: participant)
    }

    @Test(
        "taken while questions are asked; what is erased after it stays erased when it is restored, and no number is signed twice"
    )
    func backupEraseRestore() async throws {
        try await RunningSamtal.with(Self.services) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let (kept, erased) = (
                try await organisation.openSession(in: samtal), try await organisation.openSession(in: samtal)
            )
            let marker = "PERSONUPPGIFT-\(UUID().uuidString)"
            let (author, writer) = (
                try await samtal.join(erased, name: marker), try await samtal.join(kept, name: marker)
            )
            for number in 0..<20 { try await Self.ask("\(marker) \(number)", in: erased, as: author, samtal) }
            for number in 0..<20 { try await Self.ask("\(marker) \(number)", in: kept, as: writer, samtal) }

            // Others ask, and sessions come and go, while the backup is taken.
            let backup = samtal.folder + "/backup"
            let end = End()
            let (status, printed) = try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while !end.hasCome { try await Self.ask(marker, in: kept, as: writer, samtal) }
                }
                tasks.addTask {
                    while !end.hasCome {
                        let session = try await organisation.openSession(in: samtal)
                        try await Self.erase(session, organisation, in: samtal)
                    }
                }
                let ran = try await Self.run(samtal, ["backup", backup])
                end.come()
                try await tasks.waitForAll()
                return ran
            }
            #expect(status == 0, "\(printed)")
            #expect(printed.contains("to be gone by"))
            // Nothing of it is in clear, and the two halves are apart.
            for file in try ByteSearch.files(under: backup) {
                #expect(try ByteSearch.found([Data(marker.utf8)], in: file).isEmpty, "in \(file)")
                #expect(
                    file.contains("/keys/")
                        == ["slots", "wrapping-keys", "README"].contains((file as NSString).lastPathComponent)
                        || (file as NSString).lastPathComponent == "MANIFEST", "\(file)")
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600)
            }

            let certificate = try await Self.erase(erased, organisation, in: samtal)
            let until = try #require(try ErasureStatement(reading: certificate.statement).keyCopiesUntil)
            #expect(until > Date() + 6 * 86_400 && until < Date() + 8 * 86_400)
            let head = certificate.sequence

            let running = try await Self.run(samtal, ["restore", backup, "--replace"])
            #expect(running.status == 1 && running.printed.contains("is running"), "\(running.printed)")
            try await Self.stop(samtal)
            let refused = try await Self.run(samtal, ["restore", backup])
            #expect(refused.status == 1 && refused.printed.contains("--replace"), "\(refused.printed)")
            let restored = try await Self.run(samtal, ["restore", backup, "--replace"])
            #expect(restored.status == 0, "\(restored.printed)")
            #expect(try Self.sessionFiles(samtal).contains { $0.hasPrefix(erased) })

            try await Self.start(samtal)
            await expectStatus(.notFound) {
                try await samtal.chat.getSession(.init(sessionID: erased), options: organisation.administrator)
            }
            await expectStatus(.notFound) { try await samtal.retention.getSessionKey(.init(sessionID: erased)) }
            try await eventually("its file is gone again") {
                try Self.sessionFiles(samtal).allSatisfy { !$0.hasPrefix(erased) }
            }
            let again = try await samtal.retention.getCertificate(
                .init(sessionID: erased), options: organisation.administrator)
            #expect(again == certificate)
            let questions = try await samtal.chat.listQuestions(
                .init(sessionID: kept, pageSize: 100), options: organisation.administrator)
            #expect(questions.questions.count >= 20 && questions.questions.allSatisfy { $0.text.hasPrefix(marker) })
            try await Self.ask(marker, in: kept, as: writer, samtal)

            let shown = try await Self.run(samtal, ["ledger-anchor"])
            #expect(shown.status == 0 && shown.printed.contains("restored  found"), "\(shown.printed)")
            let next = try await Self.erase(kept, organisation, in: samtal)
            #expect(next.sequence == head + 1)
            try await verify(samtal, saying: "GAPS", isThere: false)
        }
    }

    /// By `samtal verify`, in both languages, and by the second verifier.
    private func verify(_ samtal: RunningSamtal, saying words: String, isThere: Bool) async throws {
        let (chain, key) = ("\(samtal.folder)/chain.json", "\(samtal.folder)/key.json")
        for path in [chain, key] { try? FileManager.default.removeItem(atPath: path) }
        #expect(try await Self.run(samtal, ["certificates", "--output", chain]).status == 0)
        #expect(try await Self.run(samtal, ["ledger-key", "--output", key]).status == 0)
        let verified = try await ChildProcess.run("samtal", ["verify", chain, "--key", key, "--language", "en"])
        #expect(verified.status == 0 && verified.printed.contains("whole chain"), "\(verified.printed)")
        #expect(verified.printed.contains("A COPY OF KEYS EXISTS UNTIL"))
        #expect(verified.printed.contains("restored      found"))
        #expect(verified.printed.contains(words) == isThere, "\(verified.printed)")
        let inSwedish = try await ChildProcess.run("samtal", ["verify", chain, "--key", key, "--language", "sv"])
        #expect(
            inSwedish.printed.contains("EN KOPIA AV NYCKLAR FINNS TILL") && inSwedish.printed.contains("återställt"))
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Scripts/verify-certificate.py").path
        let checked = try await ChildProcess.run("/usr/bin/python3", [script, chain, key])
        #expect(checked.status == 0 && checked.printed.hasSuffix("VALID\n"), "\(checked.printed.suffix(300))")
    }

    @Test("restored without its anchor, no certificate is signed until the operator has said which number was the last")
    func lostAnchor() async throws {
        try await RunningSamtal.with(Self.services) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let first = try await organisation.openSession(in: samtal)
            let (second, third) = (
                try await organisation.openSession(in: samtal), try await organisation.openSession(in: samtal)
            )
            let backup = samtal.folder + "/backup"
            #expect(try await Self.run(samtal, ["backup", backup]).status == 0)
            try await Self.erase(first, organisation, in: samtal)
            try await Self.erase(second, organisation, in: samtal)
            try await Self.stop(samtal)
            #expect(try await Self.run(samtal, ["restore", backup, "--replace"]).status == 0)
            try FileManager.default.removeItem(atPath: samtal.data + "/ledger-anchor")
            try await Self.start(samtal)

            let shown = try await Self.run(samtal, ["ledger-anchor"])
            #expect(shown.status == 1 && shown.printed.contains("MISSING"), "\(shown.printed)")
            let status = try await Self.run(samtal, ["status"])
            #expect(status.printed.contains("NO CERTIFICATE IS SIGNED: samtal ledger-anchor"), "\(status.printed)")
            _ = try await samtal.chat.endSession(.init(sessionID: third), options: organisation.administrator)
            await expectStatus(.failedPrecondition) {
                try await samtal.retention.eraseSession(
                    .init(sessionID: third, confirmSessionID: third), options: organisation.administrator)
            }
            await expectStatus(.notFound) { try await samtal.retention.getSessionKey(.init(sessionID: third)) }
            let accepted = try await Self.run(samtal, ["ledger-anchor", "accept", "--last-certificate", "2"])
            #expect(accepted.status == 0, "\(accepted.printed)")
            try await eventually("it is certified with the next number") {
                try await samtal.retention.listCertificates(.init()).certificates.map(\.sequence) == [3]
            }
            let key = "\(samtal.folder)/key.json"
            let chain = "\(samtal.folder)/chain.json"
            #expect(try await Self.run(samtal, ["certificates", "--output", chain]).status == 0)
            #expect(try await Self.run(samtal, ["ledger-key", "--output", key]).status == 0)
            let verified = try await ChildProcess.run("samtal", ["verify", chain, "--key", key, "--language", "en"])
            #expect(verified.status == 0 && verified.printed.contains("1 GAPS"), "\(verified.printed)")
            #expect(verified.printed.contains("1–2 before this one"), "\(verified.printed)")
        }
    }
}

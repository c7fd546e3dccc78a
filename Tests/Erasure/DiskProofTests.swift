import Contracts
import Foundation
import RPC
import RetentionCore
import TestProcesses
import Testing

/// The services on a file system of their own, whose raw blocks are searched.
@Suite("Erased means erased, on the disk", .serialized)
struct DiskProofTests {
    private static let marker = "PERSONUPPGIFT ÅÄÖ Greta Exempel 198112189876"

    /// The forms in which a text may lie somewhere without being sealed.
    private static func plainForms(of text: String) -> [Data] {
        [
            Data(text.utf8), Data(text.lowercased().utf8), Data(text.uppercased().utf8),
            text.data(using: .utf16LittleEndian), text.data(using: .utf16BigEndian),
        ].compactMap { $0 }
            + (0..<3).map { shift in
                // Whichever bytes go before it, two thirds of the text come out as one of these.
                let padded = Data(repeating: 0x20, count: shift) + Data(text.utf8)
                let encoded = padded.base64EncodedData()
                return encoded[4..<encoded.count - 4]
            }
    }

    private static func ask(_ count: Int, in session: String, _ samtal: RunningSamtal) async throws {
        let participant = try await samtal.join(session, name: "\(marker) namn")
        for number in 0..<count {
            _ = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "\(marker) \(number)", requestID: "request-\(number)"),
                options: participant)
        }
    }

    @Test(
        "after the certificate no key on the raw disk opens any text of the session, and never is one in the clear",
        arguments: [DiskImage.Kind.ext4, .xfs])
    func erased(kind: DiskImage.Kind) async throws {
        guard let disk = try DiskImage.make(kind) else { return }
        try await RunningSamtal.with(
            [.identity, .retention, .chat], data: disk.mountPoint, retentionOptions: []
        ) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            var sessions: [String] = []
            for number in 0..<8 {
                sessions.append(
                    try await organisation.openSession(in: samtal, title: "\(Self.marker) titel \(number)"))
                try await Self.ask(30, in: sessions[number], samtal)
            }
            let files = SessionFiles(data: samtal.data)
            let texts = try sessions.map { try files.texts(of: $0) }
            #expect(texts.map(\.count) == Array(repeating: 61, count: 8))
            let keys = try await samtal.keys(of: sessions)

            // The control, which has to succeed: with what is on the disk, all can be read.
            var raw = try RawDisk(disk.snapshot())
            #expect(try raw.opened(texts.flatMap { $0 }, with: raw.keys()).count == 8 * 61)
            try Self.expectNothingClear(on: raw, keys: keys)

            for session in sessions.dropFirst(2) {
                _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
                let certificate = try await samtal.retention.eraseSession(
                    .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
                let evidence = try ErasureStatement(reading: certificate.statement).evidence
                #expect(evidence.keys.slots == 2 && evidence.keys.place == .same)
                #expect(evidence.keys.medium == kind.rawValue && evidence.keys.risks.isEmpty)
                #expect(evidence.content.found == .fileUnlinked && evidence.content.files >= 1)
                #expect(evidence.content.counts?.questions == 30)
            }
            raw = try RawDisk(disk.snapshot())
            let found = try raw.keys()
            #expect(try raw.opened(texts.dropFirst(2).flatMap { $0 }, with: found).isEmpty)
            #expect(try raw.opened(texts.prefix(2).flatMap { $0 }, with: found).count == 2 * 61)
            try Self.expectNothingClear(on: raw, keys: keys)
        }
    }

    @Test("after questions were deleted not even the living key opens what was stored before; the rest is still there")
    func deleted() async throws {
        guard let disk = try DiskImage.make(.ext4) else { return }
        try await RunningSamtal.with(
            [.identity, .retention, .chat], data: disk.mountPoint, retentionOptions: [],
            chatOptions: ["--key-change-delay", "0"]
        ) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal, title: Self.marker)
            try await Self.ask(30, in: session, samtal)
            let files = SessionFiles(data: samtal.data)
            let before = try files.texts(of: session)
            var raw = try RawDisk(disk.snapshot())
            #expect(try raw.opened(before, with: raw.keys()).count == 61)

            let questions = try await samtal.chat.listQuestions(
                .init(sessionID: session), options: organisation.administrator
            ).questions
            for question in questions.prefix(5) {
                _ = try await samtal.chat.deleteQuestion(
                    .init(sessionID: session, questionID: question.questionID), options: organisation.administrator)
            }
            try await eventually("the content's key is changed", within: .seconds(60)) {
                try await samtal.retention.getSessionKey(.init(sessionID: session)).keyVersion > 1
            }
            try await eventually("the change is over", within: .seconds(60)) {
                try await samtal.retention.getSessionKey(.init(sessionID: session)).nextKey.isEmpty
            }
            raw = try RawDisk(disk.snapshot())
            let keys = try raw.keys()
            #expect(try raw.opened(before, with: keys).isEmpty)
            let after = try files.texts(of: session)
            #expect(try raw.opened(after, with: keys).count == after.count && after.count >= 51)
            for form in Self.plainForms(of: Self.marker) { #expect(!raw.contains(form)) }
        }
    }

    @Test(
        "on a medium that keeps copies retention says which and does not start; told to go on, each certificate says it",
        arguments: [DiskImage.Kind.btrfs, .journalling])
    func unsafeMedium(kind: DiskImage.Kind) async throws {
        guard let disk = try DiskImage.make(kind) else { return }
        let data = disk.mountPoint
        let refused = try await ChildProcess.run(
            "\(ChildProcess.folder)/samtal-retention", ["--data", data, "--region", "se"])
        #expect(refused.status == 1)
        let risk = kind == .btrfs ? "copy-on-write" : "data-journal"
        #expect(refused.printed.contains(risk) && refused.printed.contains("--allow-unsafe-key-medium"))

        // The image is small, and btrfs has most of it for itself.
        let reserve = ["--disk-reserve", "1"]
        try await RunningSamtal.with(
            [.identity, .retention, .chat], data: data,
            retentionOptions: ["--allow-unsafe-key-medium"] + reserve, chatOptions: reserve
        ) { samtal in
            #expect(try samtal.logged(.retention).contains("destroyed keys may live on"))
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
            let certificate = try await samtal.retention.eraseSession(
                .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
            #expect(try ErasureStatement(reading: certificate.statement).evidence.keys.risks == [risk])
        }
    }

    private static func expectNothingClear(on disk: RawDisk, keys: [[UInt8]]) throws {
        for form in plainForms(of: marker) { #expect(!disk.contains(form)) }
        for key in keys {
            #expect(!disk.contains(Data(key)))
            let encoded = Data(key).base64EncodedData()
            #expect(!disk.contains(encoded.prefix(40)))
        }
    }
}

extension RunningSamtal {
    /// Every key of the sessions, as chat is given them.
    func keys(of sessions: [String]) async throws -> [[UInt8]] {
        var keys: [[UInt8]] = []
        for session in sessions {
            let answer = try await retention.getSessionKey(.init(sessionID: session))
            keys += [answer.key, answer.tokenKey]
        }
        return keys
    }

    func logged(_ service: Service) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: log(service))), as: UTF8.self)
    }
}

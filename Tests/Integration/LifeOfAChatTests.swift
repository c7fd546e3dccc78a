import Contracts
import Foundation
import RPC
import RetentionCore
import TestProcesses
import Testing

@Suite("The life of a chat, with the shipped transcript")
struct LifeOfAChatTests {
    static let transcript = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scripts/demo/transcript.json").path

    @Test("the demo plays from creation to a verified certificate, and no text of it is left anywhere")
    func demo() async throws {
        try await RunningSamtal.with { samtal in
            _ = try await TestOrganisation.create(in: samtal)
            let output = "\(samtal.folder)/output"
            let demo = try await ChildProcess.run(
                "samtal",
                [
                    "demo", "--data", samtal.data, "--url", try samtal.httpAddress(), "--transcript", Self.transcript,
                    "--output", output,
                ], environment: samtal.actingAdministrator())
            #expect(demo.status == 0, "\(demo.printed.suffix(1000))")
            #expect(demo.printed.contains("VALID  1"))

            // What was exported holds the texts, so that their absence elsewhere says something.
            let exported = try Data(contentsOf: URL(fileURLWithPath: "\(output)/session.zip"))
            #expect(exported.starts(with: Data("PK".utf8)))
            let texts = try Self.texts()
            #expect(texts.count > 80)
            for file in try ByteSearch.files(under: samtal.data) + RunningSamtal.Service.allCases.map(samtal.log) {
                #expect(try ByteSearch.found(texts, in: file).isEmpty, "plain text in \(file)")
            }
        }
    }

    @Test("a certificate that was changed in one letter does not verify")
    func tampering() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let participant = try await samtal.join(session)
            _ = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "Vad kostar det?", requestID: "request-1"), options: participant)
            _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
            let tokens = "\(samtal.folder)/sign-in.json"
            try await samtal.signInCommandLine(as: "anna@example.se", keeping: tokens)
            let (certificate, key) = ("\(samtal.folder)/certificate.json", "\(samtal.folder)/key.json")
            for arguments in [
                ["ledger-key", "--data", samtal.data, "--output", key],
                [
                    "erase", session, "--confirm", session, "--data", samtal.data, "--output", certificate,
                    "--token-file", tokens,
                ],
                ["verify", certificate, "--key", key],
            ] {
                let ran = try await ChildProcess.run("samtal", arguments)
                #expect(ran.status == 0, "\(arguments.first ?? ""): \(ran.printed)")
            }

            let text = try String(contentsOfFile: certificate, encoding: .utf8)
            let changed = text.replacing("questions\\\":1", with: "questions\\\":0")
            #expect(changed != text)
            try changed.write(toFile: certificate, atomically: true, encoding: .utf8)
            let ran = try await ChildProcess.run("samtal", ["verify", certificate, "--key", key])
            #expect(ran.status == 1)
            #expect(ran.printed.contains("NOT VALID"))
        }
    }

    /// Every text of the transcript that is long enough to be no accident.
    private static func texts() throws -> [Data] {
        struct Transcript: Decodable {
            struct Entry: Decodable {
                var name: String
                var question: String
                var answer: String?
            }
            var title: String
            var entries: [Entry]
        }
        let read = try JSONDecoder().decode(
            Transcript.self, from: Data(contentsOf: URL(fileURLWithPath: transcript)))
        let texts = [read.title] + read.entries.map(\.question) + read.entries.compactMap(\.answer)
        return texts.filter { $0.utf8.count >= 12 }.map { Data($0.utf8) }
    }
}

/// Looks for bytes in files.
enum ByteSearch {
    static func files(under folder: String) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
        return try names.filter {
            try FileManager.default.attributesOfItem(atPath: $0)[.type] as? FileAttributeType == .typeRegular
        }
    }

    /// The needles that the file holds.
    static func found(_ needles: [Data], in file: String) throws -> [Data] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file), options: .mappedIfSafe)
        return needles.filter { bytes.range(of: $0) != nil }
    }
}

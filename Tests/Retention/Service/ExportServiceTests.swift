import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import Testing

@Suite("Exporting over the socket")
struct ExportServiceTests {
    /// Reads an archive with Python, checks what the manifest says, and prints what is in it as JSON.
    private static let reader = """
        import sys, json, csv, io, zipfile, hashlib
        z = zipfile.ZipFile(sys.argv[1])
        assert z.testzip() is None
        manifest = json.loads(z.read("manifest.json"))
        for entry in manifest["files"]:
            content = z.read(entry["name"])
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry
            assert len(content) == entry["bytes"], entry
        rows = list(csv.reader(io.StringIO(z.read("questions.csv").decode("utf-8-sig"), newline=""), strict=True))
        print(json.dumps({
            "names": z.namelist(), "manifest": manifest, "session": json.loads(z.read("session.json")), "rows": rows,
            "mark": list(z.read("questions.csv")[:3]),
        }))
        """

    private struct Contents: Decodable {
        struct Manifest: Decodable {
            struct File: Decodable {
                var name: String
                var questions: Int
                var answers: Int
            }
            var format: String
            var session: String
            var organisation: String
            var export_time: String
            var files: [File]
        }
        struct Document: Decodable {
            struct Session: Decodable {
                var sessionId: String
                var title: String
                var state: String
            }
            struct Question: Decodable {
                struct Answer: Decodable {
                    var text: String
                    var hostName: String
                }
                var questionId: String
                var text: String
                var authorName: String?
                var askTime: String
                var answers: [Answer]?
            }
            var format: String
            var version: Int
            var session: Session
            var questions: [Question]
        }
        var names: [String]
        var manifest: Manifest
        var session: Document
        var rows: [[String]]
        var mark: [UInt8]
    }

    private func run(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return data
    }

    private func read(_ chunks: [[UInt8]], in folder: TestFolder) throws -> Contents {
        let path = folder.path + "/export.zip"
        try Data(chunks.flatMap { $0 }).write(to: URL(fileURLWithPath: path))
        _ = try run("/usr/bin/unzip", ["-tqq", path])
        return try JSONDecoder().decode(Contents.self, from: try run("/usr/bin/python3", ["-c", Self.reader, path]))
    }

    private func opened(_ retention: RunningRetention) async throws {
        try await retention.record(cap: 7)
        try await retention.open("session-1")
    }

    @Test("an export holds the whole log, readable by others, with hashes that are right")
    func exports() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.add("session-1", state: .open, questions: Questions.some)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await opened(retention)
                    let contents = try read(try await retention.export("session-1"), in: folder)
                    #expect(contents.names == ["session.json", "questions.csv", "manifest.json"])

                    let document = contents.session
                    #expect(document.format == "samtal-session-export")
                    #expect(document.version == 1)
                    #expect(document.session.sessionId == "session-1")
                    #expect(document.session.title == "Ask the harbour master")
                    #expect(document.session.state == "OPEN")
                    #expect(document.questions.map(\.questionId) == Questions.some.map(\.questionID))
                    #expect(document.questions.map(\.text) == Questions.some.map(\.text))
                    let names = document.questions.map { $0.authorName ?? "" }
                    #expect(names == Questions.some.map(\.authorName))
                    let answers = document.questions.map { ($0.answers ?? []).map(\.text) }
                    let asked = Questions.some.map { $0.answers.map(\.text) }
                    #expect(answers == asked)

                    #expect(contents.manifest.format == "samtal-export-manifest")
                    #expect(contents.manifest.session == "session-1")
                    #expect(contents.manifest.organisation == "org-north")
                    #expect(contents.manifest.export_time == LedgerTime.text(RunningRetention.start))
                    #expect(contents.manifest.files.map(\.name) == ["session.json", "questions.csv"])
                    #expect(contents.manifest.files.map(\.questions) == [4, 4])
                    #expect(contents.manifest.files.map(\.answers) == [3, 3])
                }
            }
        }
    }

    @Test("the table has a row for each answer, and no cell that a spreadsheet runs")
    func table() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.add("session-1", state: .ended, questions: Questions.some)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await opened(retention)
                    let contents = try read(try await retention.export("session-1"), in: folder)
                    #expect(contents.mark == [0xEF, 0xBB, 0xBF])
                    #expect(contents.rows.count == 6)
                    #expect(Set(contents.rows.map(\.count)) == [10])
                    #expect(
                        Array(contents.rows[1].suffix(5)) == [
                            "1", "answer-1-0", LedgerTime.text(Date(timeIntervalSince1970: 1_789_999_500)),
                            "Harbour master", "At noon.",
                        ])
                    #expect(contents.rows[2].last == "And at six.")
                    #expect(contents.rows[3][3] == "'@example")
                    #expect(contents.rows[3][4] == "'=HYPERLINK(\"http://example.org\")")
                    #expect(contents.rows[4][4] == "Two\r\nlines, a \"quote\", and a tab\there")
                    #expect(contents.rows[4].last == "'-1+1")
                    #expect(contents.rows[5][4] == Questions.some[3].text)
                    for cell in contents.rows.joined() {
                        #expect(!["=", "+", "-", "@", "\t", "\r"].contains(String(cell.unicodeScalars.prefix(1))))
                    }
                }
            }
        }
    }

    @Test("an empty session is an archive too")
    func empty() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.add("session-1", state: .draft)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await opened(retention)
                    let contents = try read(try await retention.export("session-1"), in: folder)
                    #expect(contents.session.questions.isEmpty)
                    #expect(contents.rows.count == 1)
                }
            }
        }
    }

    @Test("a long log comes in chunks of at most 64 KiB")
    func long() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            let questions = Questions.incompressible(3000)
            chat.add("session-1", state: .ended, questions: questions)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await opened(retention)
                    let chunks = try await retention.export("session-1")
                    #expect(chunks.count > 5)
                    let sizes = chunks.map(\.count)
                    #expect(sizes.min() ?? 0 > 0)
                    #expect(sizes.max() ?? 0 <= 65_536)
                    let contents = try read(chunks, in: folder)
                    #expect(contents.session.questions.map(\.text) == questions.map(\.text))
                    let texts = contents.rows.dropFirst().map { $0[4] }
                    #expect(texts == questions.map(\.text))
                }
            }
        }
    }

    @Test("an export ends with an error when its session is erased meanwhile")
    func erasedMeanwhile() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.add("session-1", state: .ended, questions: Questions.incompressible(20_000))
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await opened(retention)
                    try await retention.end("session-1")
                    var request = RetentionV1.ExportSessionRequest()
                    request.sessionID = "session-1"
                    let stream = retention.client.exportSession(
                        request, options: RunningRetention.asAdministrator())
                    var chunks = stream.makeAsyncIterator()
                    #expect(try await chunks.next() != nil)
                    try await retention.erase("session-1")
                    let refusal = try await status { while try await chunks.next() != nil {} }
                    #expect(refusal?.reason == "SESSION_NOT_FOUND")
                }
            }
        }
    }

    @Test("a session that is erased, past its time or unknown to chat can't be exported")
    func invisible() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, schedules: false) { retention in
                    try await opened(retention)
                    try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.export("session-1") }
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await retention.end("session-1")
                    retention.clock.advance(by: 7 * 86_400)
                    try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.export("session-1") }
                    try await retention.erase("session-1")
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.export("session-1") }
                }
            }
        }
    }

    @Test("an export without chat is UNAVAILABLE, naming chat")
    func chatDown() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await opened(retention)
                let refusal = try await status { try await retention.export("session-1") }
                #expect(refusal?.code == .unavailable)
                #expect(refusal?.message.contains("chat") == true)
            }
        }
    }

    @Test("nothing that people wrote, and no key, is logged")
    func logs() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            chat.add("session-1", state: .ended, questions: Questions.some)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await opened(retention)
                    let key = try await retention.key(of: "session-1").key
                    try await retention.end("session-1")
                    _ = try await retention.export("session-1")
                    try await retention.erase("session-1")
                    _ = try await status { try await retention.open("Astrid Exempel") }
                    let text = retention.log.text
                    #expect(!text.isEmpty)
                    for secret in ["Astrid", "ferry", "harbour", "Harbour", "DPA 2026", "session-1"] {
                        #expect(!text.contains(secret))
                    }
                    #expect(!text.contains(Data(key).base64EncodedString()))
                    let hexadecimal = key.map { String(format: "%02x", $0) }.joined()
                    #expect(!text.contains(hexadecimal))
                }
            }
        }
    }
}

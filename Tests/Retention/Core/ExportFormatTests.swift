import Crypto
import Foundation
import RetentionCore
import Testing

@Suite("The formats of an export")
struct ExportFormatTests {
    private func row(_ fields: [String]) -> String { String(decoding: CSVRow.encoded(fields), as: UTF8.self) }

    @Test("fields are quoted, quotes doubled, lines ended by CR LF")
    func quoting() {
        #expect(
            row(["a", "", #"say "hi", twice"#, "two\nlines"])
                == "\"a\",\"\",\"say \"\"hi\"\", twice\",\"two\nlines\"\r\n")
        #expect(row(["åäö 😀"]) == "\"åäö 😀\"\r\n")
    }

    @Test("a digest of parts is the digest of the whole")
    func digest() {
        let text = Array("samtal".utf8)
        var digest = FileDigest()
        digest.update(Array(text.prefix(2)))
        digest.update([])
        digest.update(Array(text.dropFirst(2)))
        #expect(digest.bytes == 6)
        let expected = SHA256.hash(data: text).map { String(format: "%02x", $0) }.joined()
        #expect(digest.sha256() == expected)
    }

    @Test("a manifest is one line of canonical JSON")
    func manifest() throws {
        let manifest = ExportManifest(
            sessionID: "session-1", organisationID: "org-north",
            exportTime: try Sample.date("2026-02-01T08:00:00.000Z"),
            files: [.init(name: "session.json", bytes: 10, sha256: "ab", questions: 2, answers: 1)])
        #expect(
            String(decoding: manifest.encoded, as: UTF8.self)
                == #"{"export_time":"2026-02-01T08:00:00.000Z","files":[{"answers":1,"bytes":10,"name":"session.json","#
                + #""questions":2,"sha256":"ab"}],"format":"samtal-export-manifest","organisation":"org-north","#
                + #""session":"session-1","version":1}"# + "\n")
    }
}

import Crypto
import Foundation
import Privacy
import RetentionCore
import Testing

@Suite("Certificates")
struct CertificateTests {
    @Test("a statement is canonical JSON, to the byte")
    func canonical() throws {
        let expected =
            #"{"agreement_version":2,"counts":{"answers":3,"events":40,"questions":12},"#
            + #""deadline":"2026-02-07T10:00:00.000Z","ended":"2026-01-31T10:00:00.000Z","#
            + #""erased":"2026-02-07T10:00:01.500Z","#
            + #""evidence":{"content":{"bytes":81920,"files":3,"found":"file-unlinked","#
            + #""time":"2026-02-07T10:00:01.250Z"},"keys":{"medium":"ext4","place":"same-blocks","#
            + #""read_back":"past-page-cache","risks":[],"slots":2}},"format":"samtal-erasure-certificate","#
            + #""key_destroyed":"2026-02-07T10:00:00.125Z","#
            + #""organisation":"org-north","#
            + #""policy_version":5,"previous":"\#(String(repeating: "0", count: 64))","retention_days":7,"#
            + #""sequence":1,"session":"session-1","trigger":"automatic","version":6}"#
        #expect(try Sample.statement().canonicalText == expected)
    }

    @Test("a statement is read back as it was written, also without an end")
    func reading() throws {
        var statement = try Sample.statement()
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
        statement.endTime = nil
        statement.deadline = nil
        statement.trigger = .manual
        #expect(!statement.canonicalText.contains("ended"))
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
    }

    @Test("a statement says who asked, and by which instruction, and is read back")
    func requesters() throws {
        var statement = try Sample.statement()
        statement.trigger = .manual
        statement.requester = .administrator
        #expect(statement.canonicalText.contains(#""by":"administrator","counts""#))
        #expect(!statement.canonicalText.contains("instruction"))
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
        let instruction = try #require(ErasureInstruction(#"Ärende 2026/17: "gallra" \ nu"#))
        statement.requester = .operator(instruction)
        #expect(
            statement.canonicalText.contains(
                #""by":"operator-on-instruction","counts":{"answers":3"#))
        #expect(statement.canonicalText.contains(#""instruction":"Ärende 2026/17: \"gallra\" \\ nu","key_destroyed""#))
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
    }

    @Test("the longest instruction leaves room in a statement, whatever has to be escaped")
    func longestInstruction() throws {
        var statement = try Sample.statement()
        statement.trigger = .manual
        let longest = try #require(ErasureInstruction(String(repeating: #"\"#, count: ErasureInstruction.maximumBytes)))
        statement.requester = .operator(longest)
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
    }

    @Test("a statement says what was seen, also where that is little, and is read back")
    func evidence() throws {
        var statement = try Sample.statement()
        statement.evidence.keys = KeyDestruction(slots: 0, medium: "btrfs", risks: ["copy-on-write"])
        statement.evidence.content.counts = nil
        statement.evidence.content.found = .erasedEarlier
        #expect(!statement.canonicalText.contains("counts"))
        #expect(
            statement.canonicalText.contains(#""keys":{"medium":"btrfs","risks":["copy-on-write"],"slots":0}"#))
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
    }

    @Test(
        "evidence that no ledger writes is refused",
        arguments: [
            (#""found":"file-unlinked""#, #""found":"trust me""#), (#""place":"same-blocks""#, #""place":"somewhere""#),
            (#""read_back":"past-page-cache""#, #""read_back":"no""#), (#""slots":2"#, #""slots":-1"#),
            (#""files":3"#, #""files":3,"more":1"#), (#","slots":2"#, ""),
        ])
    func senselessEvidence(written: String, changed: String) throws {
        let text = try Sample.statement().canonicalText
        let other = text.replacingOccurrences(of: written, with: changed)
        #expect(other != text)
        #expect(throws: CertificateProblem.Reason.self) { try ErasureStatement(reading: other) }
    }

    @Test("a statement says where the session was kept, as declared, and is read back")
    func regions() throws {
        var statement = try Sample.statement()
        statement.regions = DeclaredRegions(chat: try Region("se-lund"), retention: try Region("fi"))
        #expect(
            statement.canonicalText.contains(
                #","declared_regions":{"chat":"se-lund","retention":"fi"},"ended""#))
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
        #expect(statement.regions.inWords == "chat se-lund, retention fi")
        statement.regions.chat = nil
        #expect(statement.canonicalText.contains(#""declared_regions":{"retention":"fi"}"#))
        #expect(try ErasureStatement(reading: statement.canonicalText) == statement)
    }

    @Test(
        "a statement that names no region of the EU or EEA, or more than there are, is refused",
        arguments: [
            #"{"chat":"us"}"#, #"{"chat":"SE"}"#, #"{}"#, #"{"chat":"se","gateway":"se"}"#, #"{"retention":""}"#,
            #"[]"#,
            #""se""#, #"{"chat":7}"#,
        ])
    func senselessRegions(member: String) throws {
        var statement = try Sample.statement()
        statement.regions = DeclaredRegions(chat: try Region("se"))
        let text = statement.canonicalText
        let changed = text.replacingOccurrences(of: #"{"chat":"se"}"#, with: member)
        #expect(changed != text)
        #expect(throws: CertificateProblem.Reason.self) { try ErasureStatement(reading: changed) }
    }

    @Test(
        "a requester that makes no sense is refused",
        arguments: [
            #""by":"operator-on-instruction","#, #""by":"whim","#, #""by":"","#,
        ])
    func senselessRequesters(member: String) throws {
        var statement = try Sample.statement()
        statement.trigger = .manual
        let text = statement.canonicalText
        let changed = text.replacingOccurrences(of: #""counts""#, with: member + #""counts""#)
        #expect(changed != text)
        #expect(throws: CertificateProblem.Reason.statementUnreadable) { try ErasureStatement(reading: changed) }
        // Nobody asks for an automatic erasure.
        statement.requester = .administrator
        statement.trigger = .automatic
        #expect(throws: CertificateProblem.Reason.statementUnreadable) {
            try ErasureStatement(reading: statement.canonicalText)
        }
    }

    @Test("an instruction is one line of text, and not too long", arguments: ["", "two\nlines", "\u{0}", "\u{1B}[2J"])
    func instructions(text: String) {
        #expect(ErasureInstruction(text) == nil)
        #expect(ErasureInstruction(String(repeating: "å", count: 501)) == nil)
        #expect(ErasureInstruction(String(repeating: "å", count: 500)) != nil)
    }

    @Test("characters that JSON escapes have one spelling")
    func escapes() throws {
        var statement = try Sample.statement()
        statement.organisationID = "\u{8}\t\n\u{c}\r\"\\\u{1}\u{1f}/å€😀\u{2028}"
        let text = statement.canonicalText
        #expect(text.contains(#""organisation":"\b\t\n\f\r\"\\\u0001\u001f/å€😀\#u{2028}""#))
        #expect(try ErasureStatement(reading: text) == statement)
    }

    @Test(
        "a statement says which numbers are missing before it, that older data was put back, and until when keys are copied"
    )
    func ledgerNotes() throws {
        var statement = try Sample.statement(sequence: 9)
        #expect(!statement.canonicalText.contains("key_copies_until"))
        #expect(!statement.canonicalText.contains("gap_after") && !statement.canonicalText.contains("restored"))
        statement.gapAfter = 4
        statement.restored = RestoreNote(
            time: try Sample.date("2026-02-07T09:00:00.000Z"), certificates: 3, erasures: 1, keys: 8)
        statement.keyCopiesUntil = try Sample.date("2026-02-14T09:00:00.000Z")
        let text = statement.canonicalText
        #expect(text.contains(#""gap_after":4,"key_copies_until":"2026-02-14T09:00:00.000Z","key_destroyed""#))
        #expect(
            text.contains(
                #""restored":{"certificates":3,"erasures":1,"keys":8,"time":"2026-02-07T09:00:00.000Z"},"retention_days""#
            ))
        #expect(try ErasureStatement(reading: text) == statement)
        // Nothing is missing, or what comes after it.
        for after in ["8", "9", "-1"] {
            #expect(throws: CertificateProblem.Reason.self) {
                try ErasureStatement(
                    reading: text.replacingOccurrences(of: #""gap_after":4"#, with: #""gap_after":\#(after)"#))
            }
        }
        for other in [#""keys":-8"#, #""keys":8,"more":1"#] {
            #expect(throws: CertificateProblem.Reason.self) {
                try ErasureStatement(reading: text.replacingOccurrences(of: #""keys":8"#, with: other))
            }
        }
    }

    @Test("another spelling of the same statement is refused")
    func otherSpellings() throws {
        let text = try Sample.statement().canonicalText
        let others = [
            " " + text, text + "\n", text.replacingOccurrences(of: ":7,", with: ": 7,"),
            text.replacingOccurrences(of: ":7,", with: ":7.0,"), text.replacingOccurrences(of: ":7,", with: ":7e0,"),
            text.replacingOccurrences(of: "north", with: #"n\u006frth"#),
            text.replacingOccurrences(of: #""version":6}"#, with: #""version":5,"wish":"x"}"#),
            text.replacingOccurrences(of: #""version":6}"#, with: #""version":5,"version":6}"#),
        ]
        for other in others {
            #expect(other != text)
            #expect(throws: CertificateProblem.Reason.self) { try ErasureStatement(reading: other) }
        }
    }

    @Test("a text that is no statement is refused with a reason")
    func notStatements() throws {
        let text = try Sample.statement().canonicalText
        func reason(_ text: String) -> CertificateProblem.Reason? {
            do throws(CertificateProblem.Reason) {
                _ = try ErasureStatement(reading: text)
                return nil
            } catch { return error }
        }
        #expect(reason("") == .statementUnreadable)
        #expect(reason("[]") == .statementUnreadable)
        #expect(reason(String(repeating: "[", count: 4000)) == .statementUnreadable)
        #expect(reason(String(repeating: " ", count: 4097)) == .statementTooLarge)
        #expect(reason(text.replacingOccurrences(of: "erasure-certificate", with: "receipt")) == .unknownFormat)
        #expect(reason(text.replacingOccurrences(of: #""version":6}"#, with: #""version":5}"#)) == .unknownFormat)
        #expect(reason(text.replacingOccurrences(of: #""version":6}"#, with: #""version":0}"#)) == .unknownFormat)
        #expect(reason(text.replacingOccurrences(of: #""sequence":1"#, with: #""sequence":0"#)) == .statementUnreadable)
        #expect(reason(text.replacingOccurrences(of: ":40", with: ":-1")) == .statementUnreadable)
        #expect(reason(text.replacingOccurrences(of: ":40", with: ":9007199254740992")) == .statementUnreadable)
        #expect(reason(text.replacingOccurrences(of: "01.500Z", with: "61.500Z")) == .statementUnreadable)
        #expect(reason(text.replacingOccurrences(of: "automatic", with: "whim")) == .statementUnreadable)
    }

    @Test("a key's id is the first 16 digits of the hash of its public half")
    func keyID() throws {
        let bytes = [UInt8](repeating: 9, count: 32)
        let key = try #require(LedgerPublicKey(bytes: bytes))
        let digits = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
        #expect(key.keyID == String(digits.prefix(16)))
        #expect(LedgerPublicKey(bytes: [1, 2, 3]) == nil)
        #expect(LedgerPublicKey(bytes: []) == nil)
    }
}

import Foundation
import RPC
import Testing

@testable import ServiceKit

@Suite("Field checks")
struct FieldCheckTests {
    @Test("text is trimmed and normalised to composed form")
    func normalised() throws {
        #expect(try FieldCheck.text(" \t Hej \n", field: "t", max: 10) == "Hej")
        let decomposed = "Bla\u{030A}ba\u{0308}r"
        let text = try FieldCheck.text(decomposed, field: "t", max: 6)
        #expect(Array(text.unicodeScalars) == Array("Blåbär".unicodeScalars))
    }

    @Test("length counts characters as a reader sees them")
    func counting() throws {
        #expect(try FieldCheck.text("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", field: "t", max: 2).count == 2)
        #expect(throws: RPCError.invalid("t", "must have at most 2 characters")) {
            try FieldCheck.text("abc", field: "t", max: 2)
        }
        #expect(throws: RPCError.invalid("t", "must not be empty")) {
            try FieldCheck.text("  ", field: "t", min: 1, max: 2)
        }
        #expect(throws: RPCError.invalid("t", "must have at least 3 characters")) {
            try FieldCheck.text("ab", field: "t", min: 3, max: 9)
        }
        #expect(try FieldCheck.text("", field: "t", max: 2).isEmpty)
    }

    @Test("every two letters of the Latin scripts are two characters, and stay as they are unless they are white space")
    func latinPairs() throws {
        let letters = (0x20..<0x300).compactMap(Unicode.Scalar.init).filter { !(0x7F...0x9F).contains($0.value) }
        var generator = SystemRandomNumberGenerator()
        for letter in letters {
            let other = letters.randomElement(using: &generator) ?? "a"
            let text = "x\(letter)\(other)y"
            #expect(try FieldCheck.text(text, field: "t", min: 4, max: 4) == text)
            #expect(throws: RPCError.self) { try FieldCheck.text(text, field: "t", max: 3) }
            // White space, and the soft hyphen, are nothing by themselves.
            let kept = FieldCheck.isBlank(String(letter)) ? "" : String(letter)
            #expect(try FieldCheck.text(String(letter), field: "t", max: 1) == kept)
        }
    }

    @Test("identifiers and request ids keep to their alphabets")
    func identifiers() throws {
        try FieldCheck.identifier("org-1a", field: "organisation_id")
        for bad in ["", "A", "a_b", "å", "a b", String(repeating: "a", count: 65)] {
            #expect(throws: RPCError.self) { try FieldCheck.identifier(bad, field: "x") }
        }
        try FieldCheck.requestID("abcDEF_-09")
        for bad in ["", "short", "has space", String(repeating: "a", count: 65), "abcdefg\u{0}"] {
            #expect(throws: RPCError.self) { try FieldCheck.requestID(bad) }
        }
    }

    @Test("an error names its field")
    func fieldName() {
        let error = #expect(throws: RPCError.self) { try FieldCheck.identifier("?", field: "session_id") }
        #expect(error?.code == .invalidArgument)
        #expect(error?.fields.map(\.field) == ["session_id"])
    }

    @Test("a page has 50 objects unless asked otherwise, and never more than 200")
    func pageSizes() {
        #expect([0, 1, 200, 201, UInt32.max].map(FieldCheck.pageSize) == [50, 1, 200, 200, 200])
    }

    @Test("a page token gives its key back, and only whole ones do")
    func pageTokens() throws {
        #expect(FieldCheck.nextPageToken(nil) == "")
        #expect(try FieldCheck.pageToken("") == nil)
        for key in ["ses-1", "å|2026-01-01T00:00:00Z", String(repeating: "k", count: 256)] {
            let token = FieldCheck.nextPageToken(key)
            #expect(!token.contains { "+/=".contains($0) })
            #expect(try FieldCheck.pageToken(token) == key)
        }
        for bad in ["!", "a", "a=", "ab==", "_w", String(repeating: "A", count: 345), Base64URL.encode([0xFF, 0xFE])] {
            #expect(throws: RPCError.self) { try FieldCheck.pageToken(bad) }
        }
    }

    @Test("a time is one of the years 1 to 9999, and given")
    func times() throws {
        let latest = GoogleProtobuf.Timestamp(seconds: 253_402_300_799, nanos: 999_999_999)
        for time in [GoogleProtobuf.Timestamp(seconds: -62_135_596_800, nanos: 0), .init(seconds: 0, nanos: 1), latest]
        {
            #expect(try FieldCheck.time(time, field: "end_time") == time.date)
        }
        for time in [
            nil, .init(seconds: -62_135_596_801, nanos: 0), .init(seconds: 253_402_300_800, nanos: 0),
            .init(seconds: .min, nanos: 0), .init(seconds: .max, nanos: 0), .init(seconds: 0, nanos: -1),
            .init(seconds: 0, nanos: 1_000_000_000), .init(seconds: 0, nanos: .min),
        ] as [GoogleProtobuf.Timestamp?] {
            let refusal = #expect(throws: RPCError.self) { try FieldCheck.time(time, field: "end_time") }
            #expect(refusal?.fields.map(\.field) == ["end_time"])
        }
    }
}

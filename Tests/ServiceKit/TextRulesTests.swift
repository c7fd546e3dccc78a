import CoreFoundation
import Foundation
import RPC
import Testing

@testable import ServiceKit

@Suite("What becomes of texts")
struct TextRulesTests {
    private func line(_ text: String, min: Int = 0, max: Int = 60) throws -> String {
        try FieldCheck.text(text, field: "t", min: min, max: max)
    }

    private func lines(_ text: String, min: Int = 0, max: Int = 600) throws -> String {
        try FieldCheck.text(text, field: "t", min: min, max: max, multiline: true)
    }

    @Test(
        "a text that shows nothing is empty: refused where one is required, not given where it isn't",
        arguments: [
            "", " ", "\u{A0}\u{3000}", "\u{3164}", "\u{115F}\u{1160}", "\u{FFA0}", "\u{2060}", "\u{2800}",
            "\u{200B}\u{200C}\u{200D}", "\u{FEFF}", "\u{AD}", "\u{FE0F}", "\u{301}", "\u{20DD}", "\u{903}", "\u{E000}",
            "\u{E0041}", "\u{2067}\u{2800}", "\u{180E}", "\n\t\r\n", "\u{1F}\u{85}", "\u{40000}",
        ])
    func blank(text: String) throws {
        #expect(FieldCheck.isBlank(text))
        for multiline in [false, true] {
            #expect(throws: RPCError.invalid("t", "must not be empty")) {
                try FieldCheck.text(text, field: "t", min: 1, max: 60, multiline: multiline)
            }
            #expect(try FieldCheck.text(text, field: "t", max: 60, multiline: multiline) == "")
        }
    }

    @Test(
        "whatever can be seen is a text",
        arguments: ["a", "å", "?", "…", "😀", "👩‍👩‍👧‍👦", "هل", "가", "ไ", "\u{2801}", "☺︎", "\u{3164}a", "¸"])
    func visible(text: String) throws {
        #expect(!FieldCheck.isBlank(text))
        #expect(try line(text, min: 1) == text)
    }

    @Test("a character is joined from 60 code points at most, though none of them is a mark")
    func joined() throws {
        let jamo = String(repeating: "\u{1100}", count: 60)
        #expect(try line(jamo) == jamo)
        let family = String(repeating: "👩\u{200D}", count: 29) + "👩"
        #expect(try line(family) == family)
        for text in [jamo + "\u{1100}", family + "\u{200D}👩", "a " + jamo + "\u{1161}\u{1161} b"] {
            #expect(throws: RPCError.invalid("t", "must have at most 60 code points in one character")) {
                try line(text)
            }
        }
    }

    @Test("a character has at most 30 marks, and joiners between them hide none")
    func marks() throws {
        func stacked(_ marks: [Unicode.Scalar], _ count: Int) -> String {
            // A letter that none of them melts into.
            var view = "q".unicodeScalars
            for index in 0..<count { view.append(marks[index % marks.count]) }
            return String(view)
        }
        let kinds: [[Unicode.Scalar]] = [
            ["\u{301}"], ["\u{301}", "\u{323}"], ["\u{20DD}"], ["\u{903}"], ["\u{301}", "\u{200D}"],
            ["\u{34F}", "\u{200C}"],
        ]
        for kind in kinds {
            #expect(try line("a" + stacked(kind, 30) + "b").unicodeScalars.count >= 31)
            for multiline in [false, true] {
                #expect(throws: RPCError.invalid("t", "must have at most 30 marks on one character")) {
                    try FieldCheck.text(
                        "a" + stacked(kind, 31) + "b", field: "t", max: 60, multiline: multiline)
                }
            }
        }
        // What is kept is counted: one melts into its letter, and one that comes apart is two.
        #expect(try line("e" + String(repeating: "\u{301}", count: 31)).unicodeScalars.count == 31)
        #expect(try line("q" + String(repeating: "\u{344}", count: 15)).unicodeScalars.count == 31)
        for text in ["e" + String(repeating: "\u{301}", count: 32), "q" + String(repeating: "\u{344}", count: 16)] {
            #expect(throws: RPCError.invalid("t", "must have at most 30 marks on one character")) { try line(text) }
        }
        // Without a letter to stand on, they are as many.
        #expect(throws: RPCError.self) { try lines("a\n" + String(repeating: "\u{301}", count: 31)) }
        // Every character begins anew.
        #expect(try line(String(repeating: "e\u{323}\u{301}", count: 20)).count == 20)
        // The longest sequences of emoji that are in use.
        for text in ["🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", "👩🏽‍❤️‍💋‍👨🏿", "👨‍👩‍👧‍👦"] {
            #expect(try line(text, max: 1) == text)
        }
    }

    @Test(
        "every way to break a line is a line break, and in a single line a space",
        arguments: ["\n", "\r\n", "\r", "\u{B}", "\u{C}", "\u{E}", "\u{85}", "\u{2028}", "\u{2029}"])
    func lineBreaks(ending: String) throws {
        #expect(try lines("a\(ending)b\(ending)\(ending)c\(ending)") == "a\nb\n\nc")
        #expect(try line("a\(ending)b\(ending)\(ending)c\(ending)") == "a b c")
        #expect(try line("a \(ending)b", max: 3) == "a b")
    }

    @Test("a tab stays in several lines, and is a space in one")
    func tabs() throws {
        #expect(try lines("a\tb\t\tc\t") == "a\tb\t\tc")
        #expect(try line("a\tb\t\tc\t") == "a b c")
    }

    @Test("text pasted from Word arrives whole")
    func word() throws {
        // Paragraphs, a manual line break, a page break, its two hyphens, quotation marks, a fixed space, a tab.
        let pasted =
            "\u{FEFF}Fråga 1:\tHur högt är \u{201D}taket\u{201D}?\rSvar önskas\u{B}före kl.\u{A0}12.\r\u{C}"
            + "E\u{1E}post eller jour\u{1F}telefon\u{2026}\r\n"
        #expect(
            try lines(pasted)
                == "Fråga 1:\tHur högt är \u{201D}taket\u{201D}?\nSvar önskas\nföre kl.\u{A0}12.\n\n"
                + "E\u{2011}post eller jour\u{AD}telefon\u{2026}")
        #expect(
            try line(pasted, max: 120)
                == "Fråga 1: Hur högt är \u{201D}taket\u{201D}? Svar önskas före kl.\u{A0}12. "
                + "E\u{2011}post eller jour\u{AD}telefon\u{2026}")
    }

    @Test("what can't be mended is refused with the scalar's number", arguments: [false, true])
    func refused(multiline: Bool) {
        let control = ", a control character"
        let turns = ", which turns the order of letters around"
        let cases: [(UInt32, String)] = [
            (0x0, "U+0000\(control)"), (0x7, "U+0007\(control)"), (0x1B, "U+001B\(control)"),
            (0x7F, "U+007F\(control)"), (0x93, "U+0093\(control)"), (0x202D, "U+202D\(turns)"),
            (0x202E, "U+202E\(turns)"), (0xFFFE, "U+FFFE, which is no character"),
            (0xFDD0, "U+FDD0, which is no character"), (0x10FFFF, "U+10FFFF, which is no character"),
        ]
        for (number, what) in cases {
            #expect(throws: RPCError.invalid("t", "must not hold \(what)")) {
                let scalar = try #require(Unicode.Scalar(number))
                return try FieldCheck.text("a\(scalar)b", field: "t", max: 10, multiline: multiline)
            }
        }
    }

    @Test("a direction that is opened ends with its line, and what closes nothing is gone")
    func directions() throws {
        // A telephone number among Hebrew words, as telephones write it.
        let kept = "\u{5D0}\u{5D1} \u{2066}+46 8 123\u{2069} \u{202B}\u{5D2}\u{202C}\u{200F}"
        #expect(try line(kept) == kept)
        #expect(try lines(kept) == kept)
        #expect(try line("a\u{2067}b") == "a\u{2067}b\u{2069}")
        #expect(try line("a\u{202A}\u{2067}b") == "a\u{202A}\u{2067}b\u{2069}\u{202C}")
        #expect(try lines("a\u{2067}b\nc\u{2069}") == "a\u{2067}b\u{2069}\nc")
        #expect(try line("a\u{2069}b\u{202C}c") == "abc")
        // An isolate ends the embeddings within it, and an embedding can't be closed from within an isolate.
        #expect(try line("\u{2067}\u{202A}a\u{2069}b\u{202C}") == "\u{2067}\u{202A}a\u{2069}b")
        #expect(try line("\u{202A}\u{2067}a\u{202C}\u{2069}b\u{202C}") == "\u{202A}\u{2067}a\u{2069}b\u{202C}")
    }

    @Test("length is counted in what is kept")
    func lengths() throws {
        #expect(try lines("a\r\nb\r\n\r\n", max: 3) == "a\nb")
        #expect(try line("a\t\t\tb", max: 3) == "a b")
        #expect(try line("\u{FEFF}abc", max: 3) == "abc")
        #expect(throws: RPCError.invalid("t", "must have at most 2 characters")) { try lines("a\rb", max: 2) }
        #expect(throws: RPCError.invalid("t", "must have at least 2 characters")) { try line("\u{FEFF}a\r", min: 2) }
    }

    @Test("hostile texts take time in proportion to their length")
    func growth() throws {
        let parts: [String] = [
            "e" + String(repeating: "\u{301}\u{323}", count: 15), "\u{2067}\u{202A}", "\u{2067}", "\u{202C}\u{2069}",
            "\u{202A}\u{2069}", "\r\u{B}", "\u{FEFF}\u{2069}a", " \u{2028}", "\u{1100}", "👩\u{200D}", "\u{600}", "🇸",
        ]
        for part in parts {
            // Of this thread alone: others may have the processor in between.
            func seconds(_ scalars: Int) -> Double {
                let text = "a" + String(repeating: part, count: scalars / part.unicodeScalars.count) + "b"
                return (0..<3).map { _ in
                    let begin = Self.processorTime()
                    _ = try? FieldCheck.text(text, field: "t", max: scalars, multiline: true)
                    return Self.processorTime() - begin
                }.min() ?? 0
            }
            // Sixteen times the text: 16 times as long, where a square would be 256.
            let (short, long) = (seconds(1_000), seconds(16_000))
            #expect(long < short * 96 + 0.005, "\(part.unicodeScalars.map { String($0.value, radix: 16) })")
        }
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

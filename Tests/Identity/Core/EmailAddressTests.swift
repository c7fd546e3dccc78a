import Foundation
import IdentityCore
import Testing

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "an address that mail reaches is accepted as written",
        arguments: [
            "karin@example.se", "Karin.Berg@example.se", "k+chat@sub.example.org", "o'neil@example.org",
            "a@b.se", "åsa@exämple.se", "user@例え.テスト", "x_y-z@example-one.org", "1@2.se",
        ])
    func accepted(_ text: String) throws {
        #expect(try EmailAddress(text).text == text)
    }

    @Test(
        "what is no mailbox address is refused, by the field's name",
        arguments: [
            "", "   ", "karin", "@example.se", "karin@", "karin@@example.se", "a@b@example.se", "karin@example",
            ".karin@example.se", "karin.@example.se", "ka..rin@example.se", "ka rin@example.se", "karin@exa mple.se",
            "karin@-example.se", "karin@example-.se", "karin@example..se", "karin@.example.se", "karin@example.se.",
            "karin@[127.0.0.1]", "\"karin\"@example.se", "Karin <karin@example.se>", "karin@example.se, b@example.se",
            "karin\u{0}@example.se", "karin@example\u{0}.se", "kar\r\nBcc: x@example.se", "karin@exam_ple.se",
            "kar\u{200B}in@example.se", "kar\u{202E}in@example.se", "\u{3164}@example.se", "karin@\u{FFA0}\u{115F}.se",
        ])
    func refused(_ text: String) throws {
        let error = try #require(throws: IdentityError.self) { try EmailAddress(text, field: "email") }
        #expect(error.code == .invalidField)
        #expect(error.field == "email")
        #expect(text.isEmpty || !error.message.contains(text))
    }

    @Test("space around an address is not part of it")
    func trimmed() throws {
        #expect(try EmailAddress(" \tkarin@example.se\n").text == "karin@example.se")
    }

    @Test("letter case and the composition of letters make no other mailbox")
    func keys() throws {
        let composed = try EmailAddress("Åsa@Example.SE")
        let decomposed = try EmailAddress("A\u{30A}SA@example.se")
        #expect(composed.key == decomposed.key)
        #expect(Array(composed.key.utf8) == Array(decomposed.key.utf8))
        #expect(try EmailAddress("asa@example.se").key != composed.key)
    }

    @Test("lengths are accepted up to the limits of the RFCs and refused beyond them")
    func lengths() throws {
        let local = String(repeating: "a", count: 64)
        #expect(throws: Never.self) { try EmailAddress("\(local)@example.se") }
        #expect(throws: IdentityError.self) { try EmailAddress("a\(local)@example.se") }

        let label = String(repeating: "b", count: 63)
        #expect(throws: Never.self) { try EmailAddress("karin@\(label).se") }
        #expect(throws: IdentityError.self) { try EmailAddress("karin@b\(label).se") }

        let longest = "\(local)@\(label).\(label).\(String(repeating: "c", count: 58)).se"
        #expect(longest.utf8.count == 254)
        #expect(throws: Never.self) { try EmailAddress(longest) }
        #expect(throws: IdentityError.self) { try EmailAddress(longest + "e") }
    }
}

import Foundation
import Testing

@testable import Privacy

@Suite("Identifiers")
struct IdentifierTests {
    @Test("128 bits are written as 26 digits of Crockford's base32, most significant first")
    func vectors() {
        #expect(Identifier.encode(0) == String(repeating: "0", count: 26))
        #expect(Identifier.encode(1) == String(repeating: "0", count: 25) + "1")
        #expect(Identifier.encode(.max) == "7" + String(repeating: "z", count: 25))
        #expect(Identifier.encode(31 << 5 | 18) == String(repeating: "0", count: 24) + "zj")
        // Digits 0, 1, … 24 from the least significant end.
        let ascending = (0..<25).reduce(UInt128(0)) { $0 | UInt128($1) << (5 * $1) }
        #expect(Identifier.encode(ascending) == "0rqpnmkjhgfedcba9876543210")
    }

    @Test("random identifiers are valid, differ, and use the whole alphabet but i, l, o and u")
    func random() {
        let identifiers = (0..<2000).map { _ in Identifier.random() }
        #expect(Set(identifiers).count == 2000)
        #expect(identifiers.allSatisfy { $0.utf8.count == 26 && Identifier.isValid($0) })
        #expect(Set(identifiers.joined()) == Set("0123456789abcdefghjkmnpqrstvwxyz"))
        #expect(Set(identifiers.compactMap(\.first)).isSubset(of: Set("01234567")))
    }

    @Test("a prefix stands in front")
    func prefix() {
        let identifier = Identifier.random(prefix: "a1-")
        #expect(identifier.hasPrefix("a1-") && identifier.utf8.count == 29 && Identifier.isValid(identifier))
    }

    @Test(
        "1 to 64 characters of a to z, 0 to 9 and hyphen are valid",
        arguments: ["a", "-", "0", "s-1", String(repeating: "z", count: 64)])
    func valid(_ text: String) {
        #expect(Identifier.isValid(text))
    }

    @Test(
        "anything else is not",
        arguments: [
            "", "A", "å", "a b", "a.b", "a/b", "a_b", "a\n", "a\u{0}", "é", "a\u{301}", "１",
            String(repeating: "a", count: 65),
        ])
    func invalid(_ text: String) {
        #expect(!Identifier.isValid(text))
    }
}

@Suite("Base64 for URLs")
struct Base64URLTests {
    @Test(
        "the vectors of RFC 4648 section 10, without padding",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(_ plain: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test("it agrees with Foundation's base64 on every length and byte")
    func agreement() {
        for length in 0...300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 167 + length) }
            let expected = Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
            #expect(Base64URL.encode(bytes) == expected)
            #expect(Base64URL.decode(expected.utf8) == bytes)
        }
    }

    @Test(
        "padding, other alphabets, white space, lone characters and stray bits are refused",
        arguments: ["Zg==", "Zm8=", "+A", "/w", "Zm 9", "Zm9v\n", "Z", "Zm9vY", "Zh", "Zm9", "å"])
    func refused(_ text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }
}

import Foundation
import IdentityCore
import Testing

@Suite("Sign-in codes")
struct SignInCodeTests {
    private let now = Date(millisecondsSince1970: 1_800_000_000_000)

    @Test("a code is 26 characters of base 32, which is 130 bits, and no two are alike")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let codes = (0..<1000).map { _ in SignInCode.random(using: &generator).text }
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { Base32.isWellFormed($0[...], characters: 26) })
        // Every character of the alphabet turns up, and no other: 26,000 draws miss one with a chance below 10⁻³⁰⁰.
        #expect(Set(codes.joined()) == Set("0123456789abcdefghjkmnpqrstvwxyz"))
    }

    @Test("a code is recognised however it is typed")
    func typed() throws {
        var generator = ScriptedGenerator(seed: 7)
        let code = SignInCode.random(using: &generator)
        let spaced = code.text.map { "\($0) " }.joined()
        let grouped = code.text.enumerated().map { $0.offset % 5 == 4 ? "\($0.element)-" : "\($0.element)" }.joined()
        for typed in [code.text, code.text.uppercased(), spaced, grouped] {
            #expect(SignInCode(typed: typed) == code)
        }
        let misread = code.text.replacing("0", with: "O").replacing("1", with: "l")
        #expect(SignInCode(typed: misread) == code)
    }

    @Test(
        "what can't be a code is none",
        arguments: [
            "", "abc", String(repeating: "a", count: 25), String(repeating: "a", count: 27),
            String(repeating: "u", count: 26), String(repeating: "a", count: 25) + "\u{0}",
            String(repeating: "a", count: 25) + "å",
            String(repeating: "-", count: 38) + String(repeating: "a", count: 27),
            String(repeating: "a", count: 100_000),
        ])
    func malformed(_ text: String) {
        #expect(SignInCode(typed: text) == nil)
    }

    @Test("what is kept of a code is its SHA-256")
    func hashing() {
        // FIPS 180-4, the example "abc".
        let expected: [UInt8] = [
            0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40, 0xDE, 0x5D, 0xAE, 0x22, 0x23,
            0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17, 0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD,
        ]
        #expect(SecretHash(of: "abc").bytes == expected)
        #expect(SecretHash(stored: expected) == SecretHash(of: "abc"))
        #expect(SecretHash(stored: Array(expected.dropLast())) == nil)
        #expect(SecretHash(stored: []) == nil)
    }
}

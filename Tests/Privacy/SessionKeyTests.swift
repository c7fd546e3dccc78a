import Crypto
import Foundation
import Privacy
import Testing

private let place = SealedField(session: "s1", object: "q1", name: "text")

@Suite("Sealing with a session's key")
struct SessionKeyTests {
    @Test(
        "what is sealed opens again in the same place",
        arguments: ["", "a", "Varför är himlen blå? 🌊", String(repeating: "å", count: 50_000)])
    func roundTrip(_ text: String) throws {
        let key = SessionKey.random()
        let sealed = try key.seal(text, field: place)
        #expect(sealed.count == 1 + 12 + text.utf8.count + 16)
        #expect(try key.open(sealed, field: place) == text)
        let custodiansCopy = try SessionKey(bytes: key.bytes)
        #expect(try custodiansCopy.open(sealed, field: place) == text)
    }

    @Test("the framing is format 1, nonce, ciphertext and tag of AES-256-GCM over length-prefixed places")
    func framing() throws {
        let key = try SessionKey(bytes: Array(0..<32))
        let sealed = try key.seal("harbour", field: place)
        #expect(sealed[0] == 1)
        // Built here from the description alone, with the crypto library.
        var authenticated = Data()
        for part in ["samtal sealed field", "s1", "q1", "text"] {
            authenticated.append(contentsOf: [0, 0, 0, UInt8(part.utf8.count)])
            authenticated.append(contentsOf: part.utf8)
        }
        let box = try AES.GCM.SealedBox(
            nonce: AES.GCM.Nonce(data: sealed[1..<13]), ciphertext: sealed[13..<(sealed.count - 16)],
            tag: sealed.suffix(16))
        let opened = try AES.GCM.open(box, using: key.derived("sealed field"), authenticating: authenticated)
        #expect(String(decoding: opened, as: UTF8.self) == "harbour")
    }

    /// The stored bytes were made by another implementation (Python's cryptography), nonce 64 65 … 6f.
    @Test("text sealed elsewhere to the same format opens")
    func storedVector() throws {
        let key = try SessionKey(bytes: Array(0..<32))
        let opened = try key.open(hexadecimal(StoredVector.sealed), field: place)
        #expect(opened == StoredVector.text)
    }

    @Test("derived keys are HKDF-SHA256 of the key and the purpose, and differ by purpose")
    func derivation() throws {
        let key = try SessionKey(bytes: Array(0..<32))
        // RFC 5869 by hand with HMAC alone: extract, then one block of expand.
        let extracted = HMAC<SHA256>.authenticationCode(
            for: Data(0..<32), using: SymmetricKey(data: Data("samtal session key".utf8)))
        let expanded = HMAC<SHA256>.authenticationCode(
            for: Data("receipt".utf8) + [1], using: SymmetricKey(data: Data(extracted)))
        #expect(key.derived("receipt") == SymmetricKey(data: Data(expanded)))
        #expect(key.derived("receipt") == key.derived("receipt"))
        #expect(key.derived("receipt") != key.derived("host"))
        #expect(SessionKey.random().derived("receipt") != key.derived("receipt"))
    }

    @Test("the same text sealed twice differs, in nonce and in ciphertext")
    func freshNonces() throws {
        let key = SessionKey.random()
        let sealed = try (0..<1000).map { _ in try key.seal("same", field: place) }
        #expect(Set(sealed.map { Array($0[1..<13]) }).count == 1000)
        #expect(Set(sealed.map { Array($0[13...]) }).count == 1000)
    }

    @Test("a text moved to another session, object or field does not open")
    func movedText() throws {
        let key = SessionKey.random()
        let sealed = try key.seal("mine", field: SealedField(session: "ab", object: "c", name: "d"))
        let elsewhere = [
            SealedField(session: "a", object: "bc", name: "d"), SealedField(session: "ab", object: "cd", name: ""),
            SealedField(session: "", object: "abc", name: "d"), SealedField(session: "ab", object: "c", name: "D"),
            SealedField(session: "abcd", object: "", name: ""), SealedField(session: "c", object: "ab", name: "d"),
        ]
        for place in elsewhere {
            #expect(code { try key.open(sealed, field: place) } == .notAuthentic)
        }
    }

    @Test("another key, a flipped bit and a missing byte are all refused")
    func tampering() throws {
        let key = SessionKey.random()
        let sealed = try key.seal("mine", field: place)
        #expect(code { try SessionKey.random().open(sealed, field: place) } == .notAuthentic)
        for bit in 0..<(sealed.count * 8) {
            var flipped = sealed
            flipped[bit / 8] ^= 1 << (bit % 8)
            let expected: PrivacyError.Code = bit < 8 ? .unsupportedFormat : .notAuthentic
            #expect(code { try key.open(flipped, field: place) } == expected, "bit \(bit)")
        }
        for length in 0..<sealed.count {
            let expected: PrivacyError.Code = length < 29 ? .malformed : .notAuthentic
            #expect(code { try key.open(Array(sealed.prefix(length)), field: place) } == expected, "\(length) bytes")
        }
        #expect(code { try key.open(sealed + [0], field: place) } == .notAuthentic)
    }

    @Test("a key of any length but 32 bytes is refused", arguments: [0, 1, 16, 31, 33, 64])
    func keyLength(_ length: Int) {
        #expect(code { try SessionKey(bytes: [UInt8](repeating: 7, count: length)) } == .invalidKey)
    }

    @Test("a key never prints its bytes")
    func redaction() throws {
        let key = try SessionKey(bytes: [UInt8](repeating: 0xAB, count: 32))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), "\([key])", dumped] {
            #expect(text.contains("redacted"))
            #expect(!text.contains("171") && !text.lowercased().contains("abab"))
        }
    }

    @Test("random keys differ")
    func randomKeys() {
        #expect(Set((0..<100).map { _ in SessionKey.random().bytes }).count == 100)
    }
}

private enum StoredVector {
    static let text = "Hur mår hamnen?"
    static let sealed = "016465666768696a6b6c6d6e6fdb2ed76988af0f1a7f46f1ec4554efb35925dbf6dda163b196c6c06860e27c7c"
}

/// The code of the ``PrivacyError`` that the body throws; nil if it throws none.
func code(_ body: () throws -> some Any) -> PrivacyError.Code? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? PrivacyError)?.code
    }
}

func hexadecimal(_ text: String) -> [UInt8] {
    stride(from: 0, to: text.utf8.count, by: 2).map { offset in
        UInt8(text.dropFirst(offset).prefix(2), radix: 16) ?? 0
    }
}

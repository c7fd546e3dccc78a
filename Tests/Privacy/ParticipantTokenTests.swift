import Foundation
import Testing

@testable import Privacy

@Suite("Participant tokens")
struct ParticipantTokenTests {
    private let key = SessionKey.random()

    private func token(name: String = "Bo") throws -> String {
        try ParticipantToken.seal(participantID: "p-1", name: name, sessionID: "s-1", key: key)
    }

    @Test(
        "a token opens to the participant and name it was made for, and tells its session",
        arguments: ["", "Bo", "Åsa 🌷", String(repeating: "å", count: ParticipantToken.maximumNameBytes / 2)])
    func roundTrip(_ name: String) throws {
        let token = try token(name: name)
        let opened = try ParticipantToken.open(token, key: key)
        #expect(opened.participantID == "p-1")
        #expect(opened.name == name)
        #expect(ParticipantToken.sessionID(of: token) == "s-1")
        #expect(token.utf8.count <= ParticipantToken.maximumLength)
    }

    @Test("the longest identifiers and name still make a token within the bound")
    func longest() throws {
        let identifier = String(repeating: "a", count: Identifier.maximumLength)
        let name = String(repeating: "b", count: ParticipantToken.maximumNameBytes)
        let token = try ParticipantToken.seal(participantID: identifier, name: name, sessionID: identifier, key: key)
        #expect(token.utf8.count == ParticipantToken.maximumLength)
        #expect(try ParticipantToken.open(token, key: key).name == name)
    }

    @Test("a token shows neither name nor participant, and fits a header and a URL")
    func opaque() throws {
        let token = try token(name: "Bodil")
        #expect(!token.contains("Bodil") && !token.contains("p-1"))
        #expect(!token.contains(Base64URL.encode(Array("Bodil".utf8))))
        #expect(token.wholeMatch(of: /s-1\.[A-Za-z0-9_-]+/) != nil)
    }

    @Test("a token under another session's name does not open")
    func swappedSession() throws {
        let sealed = try #require(token().split(separator: ".").last)
        for session in ["s-2", "s", "s-11"] {
            #expect(code { try ParticipantToken.open("\(session).\(sealed)", key: key) } == .notAuthentic)
        }
    }

    @Test("another session's key does not open it")
    func otherKey() throws {
        let token = try token()
        #expect(code { try ParticipantToken.open(token, key: .random()) } == .notAuthentic)
    }

    @Test("a field sealed under the same key is no token")
    func crossProtocol() throws {
        let sealed = try key.seal("\0\u{3}p-1\0\u{2}Bo", field: SealedField(session: "s-1", object: "", name: ""))
        #expect(code { try ParticipantToken.open("s-1." + Base64URL.encode(sealed), key: key) } == .notAuthentic)
    }

    @Test("every changed character is refused")
    func everyCharacter() throws {
        let bytes = Array(try token().utf8)
        for index in bytes.indices {
            for replacement in "A9_.~ \u{0}".utf8 where replacement != bytes[index] {
                var changed = bytes
                changed[index] = replacement
                let text = String(decoding: changed, as: UTF8.self)
                #expect(code { try ParticipantToken.open(text, key: key) } != nil, "character \(index)")
            }
        }
    }

    @Test("every truncation and every addition is refused")
    func lengths() throws {
        let token = try token()
        for length in 0..<token.utf8.count {
            #expect(code { try ParticipantToken.open(String(token.prefix(length)), key: key) } != nil, "\(length)")
        }
        for addition in ["A", "AA", "=", "\n", ".", "." + token] {
            #expect(code { try ParticipantToken.open(token + addition, key: key) } != nil)
        }
    }

    @Test("an over-long text is refused unread")
    func overLong() {
        let text = "s-1." + String(repeating: "A", count: ParticipantToken.maximumLength)
        #expect(code { try ParticipantToken.open(text, key: key) } == .tooLong)
        #expect(ParticipantToken.sessionID(of: text) == nil)
    }

    @Test(
        "a text without a token's shape names no session",
        arguments: ["", ".", "s-1", "s-1.", ".AAAA", "S-1.AAAA", "../s.AAAA", "s 1.AAAA", "å.AAAA", "s\u{0}.AAAA"])
    func shapeless(_ text: String) {
        #expect(ParticipantToken.sessionID(of: text) == nil)
        #expect(code { try ParticipantToken.open(text, key: key) } == .malformed)
    }

    @Test("authentic bytes with a wrong content inside are refused")
    func wrongContent() throws {
        let contents: [[UInt8]] = [
            [], [0], [0, 1], [0, 5, 65], [0, 1, 65], [0, 1, 65, 0, 1], [0, 1, 65, 0, 0, 0], [0, 1, 0xFF, 0, 0],
        ]
        for content in contents {
            let sealed = try SealedBytes.seal(
                content, authenticating: AuthenticatedData.encode("samtal participant token", ["s-1"]),
                key: key.participantTokenKey)
            #expect(code { try ParticipantToken.open("s-1." + Base64URL.encode(sealed), key: key) } == .malformed)
        }
    }

    @Test("a name or an identifier that no reader would accept makes no token")
    func refusedInput() {
        let longName = String(repeating: "b", count: ParticipantToken.maximumNameBytes + 1)
        #expect(code { try token(name: longName) } == .tooLong)
        for identifier in ["", "A", "a.b", String(repeating: "a", count: 65)] {
            #expect(
                code { try ParticipantToken.seal(participantID: identifier, name: "", sessionID: "s", key: key) }
                    == .malformed)
            #expect(
                code { try ParticipantToken.seal(participantID: "p", name: "", sessionID: identifier, key: key) }
                    == .malformed)
        }
    }
}

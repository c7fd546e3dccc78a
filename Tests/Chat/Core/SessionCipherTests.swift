import ChatCore
import Foundation
import Privacy
import Testing

@Suite("Sealing a session's content")
struct SessionCipherTests {
    static let keys = SessionKeys(token: .random(), content: .random(), version: 3, next: .random())
    let cipher = SessionCipher(sessionID: "a-1", keys: keys, version: 3)!

    static let fields: [SessionCipher.Field] = [
        .title, .questionText(questionID: "q"), .authorName(questionID: "q"), .answerText(answerID: "q"),
        .hostName(answerID: "q"), .questionText(questionID: "p"),
    ]

    @Test("what was sealed opens in its place", arguments: fields)
    func roundTrip(field: SessionCipher.Field) throws {
        let sealed = try cipher.seal("Når åpner døren? 🙂", as: field)
        #expect(try cipher.open(sealed, as: field) == "Når åpner døren? 🙂")
        #expect(!sealed.starts(with: "Når".utf8))
    }

    @Test("a text does not open in any other place", arguments: fields)
    func places(field: SessionCipher.Field) throws {
        let sealed = try cipher.seal("moved", as: field)
        for other in Self.fields where other != field {
            #expect(throws: ChatError.damaged) { try cipher.open(sealed, as: other) }
        }
    }

    @Test("a text does not open with another session's key, nor in another session")
    func otherSessions() throws {
        let sealed = try cipher.seal("kept", as: .title)
        let otherKeys = try #require(SessionCipher(sessionID: "a-1", keys: .random(), version: 1))
        let otherID = try #require(SessionCipher(sessionID: "a-2", keys: Self.keys, version: 3))
        #expect(throws: ChatError.damaged) { try otherKeys.open(sealed, as: .title) }
        #expect(throws: ChatError.damaged) { try otherID.open(sealed, as: .title) }
    }

    @Test("the next content key opens nothing of the one before, and leaves digests and tokens as they are")
    func nextKey() throws {
        let next = try #require(SessionCipher(sessionID: "a-1", keys: Self.keys, version: 4))
        let sealed = try cipher.seal("kept", as: .title)
        #expect(throws: ChatError.damaged) { try next.open(sealed, as: .title) }
        #expect(next.authorDigest(of: "p1") == cipher.authorDigest(of: "p1"))
        #expect(next.tokenKey.bytes == cipher.tokenKey.bytes)
        for version in [2, 5] { #expect(SessionCipher(sessionID: "a-1", keys: Self.keys, version: version) == nil) }
    }

    @Test("a changed byte is noticed, wherever it is")
    func damage() throws {
        let sealed = try cipher.seal("whole", as: .title)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: ChatError.damaged) { try cipher.open(changed, as: .title) }
        }
    }

    @Test("an empty text is stored as nothing")
    func empty() throws {
        #expect(try cipher.seal("", as: .authorName(questionID: "q")).isEmpty)
        #expect(try cipher.open([], as: .authorName(questionID: "q")).isEmpty)
    }

    @Test("digests are the same for the same, differ for anything else, and depend on the key")
    func digests() {
        let digests: [[UInt8]] = [
            cipher.authorDigest(of: "p1"), cipher.authorDigest(of: "p2"),
            cipher.askDigest(requestID: "r1", participantID: "p1"),
            cipher.askDigest(requestID: "r2", participantID: "p1"),
            cipher.askDigest(requestID: "r1", participantID: "p2"),
            cipher.askDigest(requestID: "1r1", participantID: "p"),
            cipher.answerDigest(requestID: "r1", administratorID: "p1"),
            SessionCipher(sessionID: "a-1", keys: .random(), version: 1)!.authorDigest(of: "p1"),
        ]
        #expect(Set(digests).count == digests.count)
        #expect(digests.allSatisfy { $0.count == SessionCipher.digestLength })
        #expect(cipher.authorDigest(of: "p1") == digests[0])
    }
}

@Suite("Identifiers of questions")
struct QuestionIdentifierTests {
    @Test("are valid, never the same, and in the order of their times")
    func identifiers() {
        let early = QuestionIdentifier.make(at: Date(milliseconds: 1_700_000_000_000))
        let late = QuestionIdentifier.make(at: Date(milliseconds: 1_700_000_000_001))
        #expect(Identifier.isValid(early))
        #expect(early.count == 29)
        #expect(early < late)
        #expect(Set((0..<10_000).map { _ in QuestionIdentifier.make(at: .distantFuture) }).count == 10_000)
    }

    @Test("a time before 1970 counts as 1970")
    func longAgo() {
        #expect(QuestionIdentifier.make(at: .distantPast).hasPrefix("000000000"))
    }
}

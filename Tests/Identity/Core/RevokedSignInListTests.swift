import Foundation
import IdentityCore
import Testing

@Suite("The list of revoked sign-ins")
struct RevokedSignInListTests {
    private let start = Date(millisecondsSince1970: 1_790_000_000_000)

    @Test("a sign-in is listed for as long as one of its access tokens could be good, and no longer")
    func lifetime() {
        var list = RevokedSignInList()
        list.add("a", at: start)
        list.add("b", at: start + 1)
        list.forget(at: start + Lifetime.accessToken + 59)
        #expect(list.ids == ["a", "b"])
        list.forget(at: start + RevokedSignInList.lifetime)
        #expect(list.ids == ["b"])
        list.add("c", at: start + RevokedSignInList.lifetime + 1)
        #expect(list.ids == ["c"])
        #expect(list.issuedUntil == nil)
    }

    @Test("a full list never lets a token live: what it forgets leaves a time behind, by which all are refused")
    func full() {
        var list = RevokedSignInList()
        for number in 0..<RevokedSignInList.most { list.add("s\(number)", at: start + Double(number) / 10) }
        #expect(list.issuedUntil == nil)
        list.add("one more", at: start + 200)
        #expect(list.ids.count == RevokedSignInList.most)
        #expect(list.ids.first == "s1" && list.ids.last == "one more")
        #expect(list.issuedUntil == start)
        list.add("another", at: start + 201)
        #expect(list.issuedUntil == start + 0.1)
        // And that time is forgotten with the tokens of its time.
        list.forget(at: start + 0.1 + RevokedSignInList.lifetime)
        #expect(list.issuedUntil == nil)
    }

    @Test("all tokens of one sign-in have its id, another sign-in has another, and it is no part of a token")
    func ids() {
        var generator = SystemRandomNumberGenerator()
        let first = RefreshToken.first(using: &generator)
        let next = first.successor(using: &generator)
        let family = RefreshFamily(administratorID: "adm-1", first: first, now: start)
        #expect(first.signInID == next.signInID)
        #expect(family.signInID == first.signInID)
        #expect(RefreshFamily.signInID(ofStoredFamily: first.familyHash.bytes) == first.signInID)
        #expect(RefreshToken.first(using: &generator).signInID != first.signInID)
        #expect(first.signInID.count == 32)
        #expect(!first.text.contains(first.signInID))
        let hash = first.familyHash.bytes.map { String(format: "%02x", $0) }.joined()
        #expect(!hash.contains(first.signInID))
        #expect(RefreshFamily.signInID(ofStoredFamily: [1, 2]) == nil)
    }
}

import Foundation
import IdentityCore
import Testing

@Suite("The list of revoked sign-ins")
struct RevokedSignInListTests {
    private let start = Date(millisecondsSince1970: 1_790_000_000_000)

    /// Both clocks together, unless the wall clock is so many seconds ahead.
    private func at(_ seconds: TimeInterval, ahead: TimeInterval = 0) -> ClockTimes {
        ClockTimes(wall: start + seconds + ahead, confirmed: start + seconds)
    }

    @Test("a sign-in is listed for as long as one of its access tokens could be good, and no longer")
    func lifetime() {
        var list = RevokedSignInList()
        list.add("a", at: at(0))
        list.add("b", at: at(1))
        list.forget(at: at(Lifetime.accessToken + 59))
        #expect(list.ids == ["a", "b"])
        list.forget(at: at(RevokedSignInList.lifetime))
        #expect(list.ids == ["b"])
        list.add("c", at: at(RevokedSignInList.lifetime + 1))
        list.forget(at: at(RevokedSignInList.lifetime + 1))
        #expect(list.ids == ["c"])
        #expect(list.issuedUntil == nil)
    }

    @Test("a full list never lets a token live: what it forgets leaves a time behind, by which all are refused")
    func full() {
        var list = RevokedSignInList()
        for number in 0..<RevokedSignInList.most { list.add("s\(number)", at: at(Double(number) / 10)) }
        #expect(list.issuedUntil == nil)
        list.add("one more", at: at(200))
        #expect(list.ids.count == RevokedSignInList.most)
        #expect(list.ids.first == "s1" && list.ids.last == "one more")
        #expect(list.issuedUntil == start)
        list.add("another", at: at(201))
        #expect(list.issuedUntil == start + 0.1)
        // And that time is forgotten with the tokens of its time.
        list.forget(at: at(0.2 + RevokedSignInList.lifetime))
        #expect(list.issuedUntil == nil)
    }

    @Test("a step ahead, confirmed or taken back, shortens nothing", arguments: [3600, 70 * 86_400] as [TimeInterval])
    func stepped(step: TimeInterval) {
        // Ended before the step, in it, and after it was taken back or confirmed.
        var list = RevokedSignInList()
        list.add("before", at: at(0))
        list.add("within", at: at(10, ahead: step))
        list.forget(at: at(20, ahead: step))
        #expect(list.ids == ["before", "within"])

        var confirmed = list
        // The confirmed time jumps, too.
        let now = ClockTimes(wall: start + 30 + step, confirmed: start + 30 + step)
        confirmed.add("after", at: now)
        confirmed.forget(at: now)
        #expect(confirmed.ids == ["within", "after"])
        confirmed.forget(at: at(10 + RevokedSignInList.lifetime, ahead: step))
        #expect(confirmed.ids == ["after"])

        list.add("after", at: at(30))
        list.forget(at: at(30 + RevokedSignInList.lifetime))
        // The tokens from ahead come to be good when the clock is there.
        #expect(list.ids == ["within"])
        list.forget(at: at(10 + step + RevokedSignInList.lifetime))
        #expect(list.ids.isEmpty)
    }

    @Test("a full list of times ahead refuses no token that is issued after the clock was taken back")
    func fullAhead() {
        let step: TimeInterval = 70 * 86_400
        var list = RevokedSignInList()
        for number in 0...RevokedSignInList.most { list.add("s\(number)", at: at(0, ahead: step)) }
        #expect(list.issuedUntil == start + step)
        list.forget(at: at(60))
        #expect(list.issuedUntil == start + 60)
        list.forget(at: at(3600))
        #expect(list.issuedUntil == start + 60)
        list.forget(at: at(step - 1))
        #expect(list.issuedUntil == start + step)
        list.forget(at: at(step + RevokedSignInList.lifetime))
        #expect(list.issuedUntil == nil && list.ids.isEmpty)
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

import Foundation
import IdentityCore
import Testing

@Suite("Refresh families")
struct RefreshFamilyTests {
    private static let start = Date(millisecondsSince1970: 1_800_000_000_000)
    private static let month: TimeInterval = 30 * 24 * 60 * 60

    /// A family with three tokens issued one after the other; the third is current.
    private struct Scene {
        var generator = ScriptedGenerator(seed: 42)
        let first: RefreshToken
        let second: RefreshToken
        let third: RefreshToken
        let fourth: RefreshToken
        var family: RefreshFamily

        init() {
            first = RefreshToken.first(using: &generator)
            second = first.successor(using: &generator)
            third = second.successor(using: &generator)
            fourth = third.successor(using: &generator)
            family = RefreshFamily(administratorID: "adm-1", first: first, now: RefreshFamilyTests.start)
            family.trade(first, for: second, at: RefreshFamilyTests.start + 1)
            family.trade(second, for: third, at: RefreshFamilyTests.start + 2)
        }
    }

    @Test("a token and its successors share the half that finds their family, and nothing else")
    func tokens() throws {
        let scene = Scene()
        #expect(scene.first.text.count == 78)
        #expect(scene.first.familyHash == scene.fourth.familyHash)
        let tokens = [scene.first, scene.second, scene.third, scene.fourth]
        #expect(Set(tokens.map(\.hash)).count == 4)
        #expect(Set(tokens.map { $0.text.suffix(52) }).count == 4)
        #expect(RefreshToken(scene.first.text) == scene.first)
    }

    @Test(
        "what can't be a refresh token is none",
        arguments: [
            "", "abc", String(repeating: "a", count: 77), String(repeating: "a", count: 79),
            String(repeating: "A", count: 78), String(repeating: "a", count: 77) + "\u{0}",
            String(repeating: "a", count: 77) + " ",
        ])
    func malformed(_ text: String) {
        #expect(RefreshToken(text) == nil)
    }

    @Test("each trade makes the next token current and starts the month anew")
    func rotation() {
        let scene = Scene()
        #expect(
            scene.family.state
                == .live(current: scene.third.hash, expireTime: Self.start + 2 + Self.month))
    }

    @Test("an earlier token ends the family, also for the one who holds the current token")
    func reuse() {
        var scene = Scene()
        scene.family.trade(scene.first, for: scene.fourth, at: Self.start + 3)
        #expect(scene.family.state == .ended(.reused))
        scene.family.trade(scene.third, for: scene.fourth, at: Self.start + 4)
        #expect(scene.family.state == .ended(.reused))
    }

    @Test("the same token twice ends the family")
    func twice() {
        var scene = Scene()
        scene.family.trade(scene.third, for: scene.fourth, at: Self.start + 3)
        scene.family.trade(scene.third, for: scene.fourth, at: Self.start + 3)
        #expect(scene.family.state == .ended(.reused))
    }

    @Test("a token of the family that was never issued ends it")
    func forged() {
        var scene = Scene()
        let forged = scene.first.successor(using: &scene.generator)
        scene.family.trade(forged, for: scene.fourth, at: Self.start + 3)
        #expect(scene.family.state == .ended(.reused))
    }

    @Test("a token works for thirty days from the latest trade and not a millisecond longer")
    func expiry() {
        var early = Scene()
        early.family.trade(early.third, for: early.fourth, at: Self.start + 2 + Self.month - 0.001)
        guard case .live = early.family.state else {
            Issue.record("the family ended too early: \(early.family.state)")
            return
        }
        var late = Scene()
        late.family.trade(late.third, for: late.fourth, at: Self.start + 2 + Self.month)
        #expect(late.family.state == .ended(.expired))
    }

    @Test("nothing leaves the end, whichever it was", arguments: RefreshFamily.Ending.allCases)
    func endings(_ ending: RefreshFamily.Ending) {
        var scene = Scene()
        switch ending {
        case .reused: scene.family.trade(scene.first, for: scene.fourth, at: Self.start + 3)
        case .expired: scene.family.trade(scene.third, for: scene.fourth, at: .distantFuture)
        case .revoked: scene.family.revoke()
        }
        #expect(scene.family.state == .ended(ending))
        for token in [scene.first, scene.second, scene.third, scene.fourth] {
            scene.family.trade(token, for: token.successor(using: &scene.generator), at: Self.start + 3)
            scene.family.trade(token, for: token.successor(using: &scene.generator), at: .distantFuture)
        }
        scene.family.revoke()
        #expect(scene.family.state == .ended(ending))
    }
}

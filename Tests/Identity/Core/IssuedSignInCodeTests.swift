import Foundation
import IdentityCore
import Testing

@Suite("What is on record of a sign-in code")
struct IssuedSignInCodeTests {
    private let now = Date(millisecondsSince1970: 1_800_000_000_000)
    private let hour: TimeInterval = 3600

    private func administrator() throws -> Administrator {
        Administrator(
            id: "adm-1", organisationID: "org-1", email: try EmailAddress("karin@example.se"),
            displayName: "Karin Berg", createTime: now)
    }

    private func issued(
        by maker: Requester, instruction: String = "", inUse: Bool = true
    ) throws -> IssuedSignInCode {
        let organisation = Organisation(
            id: "org-1", displayName: "Example News", createTime: now, firstSignInTime: inUse ? now : nil)
        return try IssuedSignInCode(
            id: "code-1", for: administrator(), of: organisation, by: maker, instruction: instruction, now: now)
    }

    @Test("an administrator's code works at once, for fifteen minutes and not a millisecond longer")
    func byAdministrator() throws {
        let code = try issued(by: .administrator(id: "adm-2"))
        #expect(code.usableTime == now && code.expireTime == now + 900)
        #expect(code.state(at: now) == .usable)
        #expect(code.state(at: now + 899.999) == .usable)
        #expect(code.state(at: now + 900) == .expired)
        #expect(code.state(at: now + 90_000) == .expired)
    }

    @Test("so does the operator's for an organisation that nobody has signed in to")
    func first() throws {
        let code = try issued(by: .operator, inUse: false)
        #expect(code.usableTime == now && code.expireTime == now + 900)
        // The instruction, where there is one, delays nothing then.
        let instructed = try issued(by: .operator, instruction: "Case 1", inUse: false)
        #expect(instructed.usableTime == now && instructed.instruction == "Case 1")
    }

    @Test("once somebody has, the operator makes none without an instruction")
    func refused() throws {
        #expect(throws: IdentityError.administratorsOnly) { try issued(by: .operator) }
    }

    @Test("on an instruction the operator's code works a day later, for a day")
    func recovery() throws {
        let code = try issued(by: .operator, instruction: "Case 2026/17")
        #expect(code.state(at: now) == .notYetUsable)
        #expect(code.state(at: now + 24 * hour - 0.001) == .notYetUsable)
        #expect(code.state(at: now + 24 * hour) == .usable)
        #expect(code.state(at: now + 48 * hour - 0.001) == .usable)
        #expect(code.state(at: now + 48 * hour) == .expired)
    }

    @Test("an administrator names no instruction")
    func noInstruction() throws {
        #expect(throws: IdentityError.invalid("instruction", "is for the operator alone")) {
            try issued(by: .administrator(id: "adm-2"), instruction: "Case 1")
        }
    }

    @Test("a code that works later is refused until then, and stays as it is")
    func tooEarly() throws {
        var code = try issued(by: .operator, instruction: "Case 1")
        let before = code
        #expect(throws: IdentityError.signInCodeNotYetUsable(now + 24 * hour)) {
            try code.redeem(at: now + 23 * hour)
        }
        #expect(code == before)
        try code.redeem(at: now + 24 * hour)
        #expect(code.state(at: now + 24 * hour) == .used && code.endTime == now + 24 * hour)
    }

    @Test("what has ended does not work, and stays as it ended", arguments: IssuedSignInCode.Ending.allCases)
    func ended(ending: IssuedSignInCode.Ending) throws {
        var code = try issued(by: .administrator(id: "adm-2"))
        switch ending {
        case .used: try code.redeem(at: now)
        case .replaced: code.replace(at: now)
        case .revoked: try code.revoke(at: now)
        }
        let before = code
        #expect(throws: IdentityError.signInCodeRefused) { try code.redeem(at: now + 1) }
        code.replace(at: now + 1)
        if ending == .revoked {
            try code.revoke(at: now + 1)
        } else {
            #expect(throws: IdentityError.signInCodeEnded) { try code.revoke(at: now + 1) }
        }
        #expect(code == before && code.endTime == now)
    }

    @Test("an expired code can be neither used nor revoked")
    func expired() throws {
        var code = try issued(by: .administrator(id: "adm-2"))
        #expect(throws: IdentityError.signInCodeRefused) { try code.redeem(at: now + 900) }
        #expect(throws: IdentityError.signInCodeEnded) { try code.revoke(at: now + 900) }
        code.replace(at: now + 900)
        #expect(code.ending == nil)
    }
}

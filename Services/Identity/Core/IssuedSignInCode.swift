package import Foundation

/// What is on record of a sign-in code: who made it, for whom, and what became of it. The code itself is not.
///
/// ```
/// not yet usable ──usable time──▶ usable ──expiry──▶ expired
///        │                          ├──signing in──▶ used
///        └──────────────────────────┴──▶ replaced, revoked
/// ```
/// An administrator has one at most that has not ended: a new one takes the place of the old.
package struct IssuedSignInCode: Sendable, Equatable {
    /// How a code ended before it expired.
    package enum Ending: String, Sendable, CaseIterable {
        case used
        case replaced
        case revoked
    }

    package enum State: Sendable, Equatable, CaseIterable {
        case notYetUsable
        case usable
        case used
        case expired
        case replaced
        case revoked
    }

    /// What the operator calls the organisation's instruction by, in characters.
    package static let instructionCharacters = 1...200

    package let id: String
    package let organisationID: String
    /// Whom it signs in; nil once they are removed.
    package let administratorID: String?
    package let maker: Requester
    /// Empty unless the operator acted on one.
    package let instruction: String
    package let createTime: Date
    package let usableTime: Date
    package let expireTime: Date
    package private(set) var ending: Ending?
    /// When it ended, unless it simply expired.
    package private(set) var endTime: Date?

    /// A record as it was stored.
    package init(
        id: String, organisationID: String, administratorID: String?, maker: Requester, instruction: String,
        createTime: Date, usableTime: Date, expireTime: Date, ending: Ending? = nil, endTime: Date? = nil
    ) {
        self.id = id
        self.organisationID = organisationID
        self.administratorID = administratorID
        self.maker = maker
        self.instruction = instruction
        self.createTime = createTime
        self.usableTime = usableTime
        self.expireTime = expireTime
        self.ending = ending
        self.endTime = endTime
    }

    /// A code that is made now.
    ///
    /// The operator alone could sign in as anybody and read what the processor is not to read (GDPR Article 28(3)(a)). So
    /// the operator makes codes for an organisation that nobody has signed in to yet, where there is nothing to read. After
    /// that only on the organisation's instruction, for one that has lost every sign-in; and such a code works a day
    /// later, so that whoever can still sign in sees it first.
    /// - Throws: `administratorsOnly`; `invalid` for an administrator who names an instruction.
    package init(
        id: String, for administrator: Administrator, of organisation: Organisation, by maker: Requester,
        instruction: String, now: Date
    ) throws(IdentityError) {
        var delay: TimeInterval = 0
        switch maker {
        case .administrator:
            guard instruction.isEmpty else { throw .invalid("instruction", "is for the operator alone") }
        case .operator:
            if organisation.firstSignInTime != nil {
                guard !instruction.isEmpty else { throw .administratorsOnly }
                delay = Lifetime.recoveryDelay
            }
        }
        let usable = now + delay
        let expiry = usable + (delay > 0 ? Lifetime.recoveryCode : Lifetime.signInCode)
        self.init(
            id: id, organisationID: organisation.id, administratorID: administrator.id, maker: maker,
            instruction: instruction, createTime: now.wholeMilliseconds, usableTime: usable.wholeMilliseconds,
            expireTime: expiry.wholeMilliseconds)
    }

    package func state(at now: Date) -> State {
        switch ending {
        case .used: .used
        case .replaced: .replaced
        case .revoked: .revoked
        // The code works up to its expiry, not at it.
        case nil where now >= expireTime: .expired
        // Rounded as the time is, so that what works at once works in the same moment.
        case nil where now.wholeMilliseconds < usableTime: .notYetUsable
        case nil: .usable
        }
    }

    /// Uses the code up.
    /// - Throws: `signInCodeRefused`, or `signInCodeNotYetUsable`, which leaves it as it is.
    package mutating func redeem(at now: Date) throws(IdentityError) {
        switch state(at: now) {
        case .usable: end(.used, at: now)
        case .notYetUsable: throw .signInCodeNotYetUsable(usableTime)
        case .used, .expired, .replaced, .revoked: throw .signInCodeRefused
        }
    }

    /// Ends the code before its use. Revoked already: nothing changes.
    /// - Throws: `signInCodeEnded` for one that ended otherwise.
    package mutating func revoke(at now: Date) throws(IdentityError) {
        switch state(at: now) {
        case .usable, .notYetUsable: end(.revoked, at: now)
        case .revoked: break
        case .used, .expired, .replaced: throw .signInCodeEnded
        }
    }

    /// Another code takes its place, or nobody is left whom it could sign in.
    package mutating func replace(at now: Date) {
        switch state(at: now) {
        case .usable, .notYetUsable: end(.replaced, at: now)
        case .used, .expired, .replaced, .revoked: break
        }
    }

    private mutating func end(_ ending: Ending, at now: Date) {
        self.ending = ending
        endTime = now.wholeMilliseconds
    }
}

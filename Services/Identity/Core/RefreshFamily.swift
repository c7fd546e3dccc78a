internal import Crypto
package import Foundation

/// All refresh tokens that came from one sign-in, of which one at a time is current.
///
/// ```
/// live ──current token──▶ live (the next token is current, the month starts anew)
///   ├──any other token of the family──▶ ended(reused)
///   ├──any token, too late──▶ ended(expired)
///   └──revoke──▶ ended(revoked)
/// ```
/// Nothing leaves `ended`. Using a token twice means that two parties hold it, and the service can't tell which of them
/// is the administrator: both lose it (RFC 9700 section 4.14.2).
package struct RefreshFamily: Sendable, Equatable {
    package enum Ending: Sendable, Equatable, CaseIterable {
        case reused
        case expired
        case revoked
    }

    package enum State: Sendable, Equatable {
        case live(current: SecretHash, expireTime: Date)
        case ended(Ending)
    }

    package let familyHash: SecretHash
    package let administratorID: String
    package private(set) var state: State

    /// The family as it was stored.
    package init(familyHash: SecretHash, administratorID: String, current: SecretHash, expireTime: Date) {
        self.familyHash = familyHash
        self.administratorID = administratorID
        self.state = .live(current: current, expireTime: expireTime)
    }

    /// A family that begins now with its first token.
    package init(administratorID: String, first: RefreshToken, now: Date) {
        self.init(
            familyHash: first.familyHash, administratorID: administratorID, current: first.hash,
            expireTime: (now + Lifetime.refreshToken).wholeMilliseconds)
    }

    /// What the sign-in's access tokens carry, so that they can be ended with it.
    package var signInID: String { Self.signInID(ofFamily: familyHash) }

    /// Made from the hash that the family is found by, which it doesn't give away.
    static func signInID(ofFamily hash: SecretHash) -> String {
        SHA256.hash(data: Array("samtal sign-in".utf8) + hash.bytes).prefix(16)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
    }

    /// The same for a family of the store's.
    package static func signInID(ofStoredFamily hash: [UInt8]) -> String? {
        SecretHash(stored: hash).map(signInID(ofFamily:))
    }

    /// Trades a token for `next`, or ends the family. Afterwards the state says which.
    ///
    /// - Precondition: both tokens are of this family.
    package mutating func trade(_ token: RefreshToken, for next: RefreshToken, at now: Date) {
        precondition(token.familyHash == familyHash && next.familyHash == familyHash, "a token of another family")
        guard case .live(let current, let expireTime) = state else { return }
        if now >= expireTime {
            state = .ended(.expired)
        } else if token.hash != current {
            state = .ended(.reused)
        } else {
            state = .live(current: next.hash, expireTime: (now + Lifetime.refreshToken).wholeMilliseconds)
        }
    }

    /// Signs out.
    package mutating func revoke() {
        guard case .live = state else { return }
        state = .ended(.revoked)
    }
}

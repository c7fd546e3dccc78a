import Crypto
import Foundation
import RPC
import Synchronization

@testable import ServiceKit

/// Makes tokens, also such as no honest issuer makes.
struct TokenForge {
    let key = Curve25519.Signing.PrivateKey()
    let keyID = "key-1"

    var publicKey: [UInt8] { [UInt8](key.publicKey.rawRepresentation) }
    var source: FixedSigningKeys { FixedSigningKeys([keyID: publicKey]) }

    func claims(_ changes: [String: Any] = [:]) -> [String: Any] {
        let now = Int(Date().timeIntervalSince1970)
        let claims: [String: Any] = [
            "sub": "adm-1", "org": "org-1", "iss": "samtal", "aud": "samtal", "iat": now, "exp": now + 600,
            "jti": "tok-1",
        ]
        return claims.merging(changes) { $1 }
    }

    func token(header: [String: Any] = [:], claims changes: [String: Any] = [:]) throws -> String {
        let input = try input(header: header, claims: claims(changes))
        return try input + "." + Base64URL.encode(key.signature(for: Data(input.utf8)))
    }

    /// Header and claims as they are signed.
    func input(header changes: [String: Any], claims: [String: Any]) throws -> String {
        let header = ["alg": "EdDSA", "typ": "JWT", "kid": keyID].merging(changes) { $1 }
        return try [header, claims].map { try Base64URL.encode(JSONSerialization.data(withJSONObject: $0)) }
            .joined(separator: ".")
    }
}

/// Counts how often it is asked.
final class CountingKeys: SigningKeySource {
    private let keys: [String: [UInt8]]
    private let count = Atomic<Int>(0)

    init(_ keys: [String: [UInt8]]) { self.keys = keys }

    var asked: Int { count.load(ordering: .relaxed) }

    func publicKey(_ keyID: String) async throws(RPCError) -> [UInt8]? {
        count.wrappingAdd(1, ordering: .relaxed)
        return keys[keyID]
    }
}

/// A clock that a test sets forward.
final class TestClock: Sendable {
    private let ahead = Mutex<TimeInterval>(0)

    func advance(_ seconds: TimeInterval) { ahead.withLock { $0 += seconds } }

    @Sendable func now() -> Date { Date().addingTimeInterval(ahead.withLock { $0 }) }
}

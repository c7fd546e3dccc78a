package import Crypto

/// A client's address, hashed under a key: equal for the same client while the key lives, and of use to nobody after.
package struct ClientHash: Hashable, Sendable {
    private var high: UInt64
    private var low: UInt64

    fileprivate init(_ code: HashedAuthenticationCode<SHA256>) {
        (high, low) = code.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
    }
}

/// Hashes clients under a random key that is thrown away every day.
package struct ClientHashes: Sendable {
    /// The life of a key.
    package static let keyLifetime: Duration = .seconds(86_400)

    private let makeKey: @Sendable () -> SymmetricKey
    private var key: SymmetricKey
    private var expiry: ContinuousClock.Instant

    package init(now: ContinuousClock.Instant, makeKey: @escaping @Sendable () -> SymmetricKey) {
        self.makeKey = makeKey
        key = makeKey()
        expiry = now + Self.keyLifetime
    }

    /// Draws a new key when the time has come; true when it did, and hashes made before mean nothing any more.
    @discardableResult
    package mutating func renew(now: ContinuousClock.Instant) -> Bool {
        guard now >= expiry else { return false }
        key = makeKey()
        expiry = now + Self.keyLifetime
        return true
    }

    /// - Parameter purpose: what is counted; the hashes for one purpose say nothing about another.
    package func hash(of client: ClientAddress, for purpose: String) -> ClientHash {
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array(purpose.utf8) + [0] + client.bytes)
        return ClientHash(code.finalize())
    }
}

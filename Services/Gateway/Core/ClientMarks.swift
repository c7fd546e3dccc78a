package import Crypto

/// Tells clients apart, for as long as a day at most, with no way back to their addresses: a mark is a keyed hash under a
/// random key that lives in memory and is thrown away daily.
package struct ClientMarks: Sendable {
    /// The life of a key, and of every mark made with it.
    package static let keyLifetime: Duration = .seconds(86_400)

    private let makeKey: @Sendable () -> SymmetricKey
    private var key: SymmetricKey
    private var keyExpiry: ContinuousClock.Instant

    package init(
        now: ContinuousClock.Instant,
        makeKey: @escaping @Sendable () -> SymmetricKey = { SymmetricKey(size: .bits256) }
    ) {
        self.makeKey = makeKey
        key = makeKey()
        keyExpiry = now + Self.keyLifetime
    }

    /// A client's own mark, and its network's if it has one.
    package struct Marks: Sendable, Hashable {
        package var client: String
        /// Of an IPv6 /48.
        package var network: String?

        package init(client: String, network: String? = nil) {
            self.client = client
            self.network = network
        }
    }

    package mutating func marks(of client: ClientAddress, now: ContinuousClock.Instant) -> Marks {
        Marks(client: mark(of: client, now: now), network: client.network.map { mark(of: $0, now: now) })
    }

    /// The same for one client until the key changes, and another for every other client.
    package mutating func mark(of client: ClientAddress, now: ContinuousClock.Instant) -> String {
        if now >= keyExpiry {
            key = makeKey()
            keyExpiry = now + Self.keyLifetime
        }
        let code = HMAC<SHA256>.authenticationCode(for: client.bytes, using: key)
        return code.prefix(16).map { String($0, radix: 16) }.joined(separator: ".")
    }
}

package import Crypto

/// Limits how often one client may do one thing, and can say of nobody that they were here: the table holds keyed
/// hashes only, under a random key that is thrown away every day together with the table.
///
/// Each entry is one instant (the generic cell rate algorithm): the time at which the client's allowance is whole
/// again. An entry whose instant has passed says nothing any more and is dropped first when room is needed.
package struct RateLimiter: Sendable {
    /// What is counted apart from everything else.
    package enum Activity: String, CaseIterable, Sendable, Hashable {
        case join, ask
        case signIn = "sign-in"
        case refresh, read, write
    }

    /// `burst` at once, and then one every `interval`.
    package struct Rule: Sendable, Equatable {
        package var burst: Int
        package var interval: Duration

        package init(burst: Int, interval: Duration) {
            self.burst = max(1, burst)
            self.interval = interval
        }
    }

    package enum Decision: Sendable, Equatable {
        case allowed
        /// `after` is how long until the next one is allowed.
        case refused(after: Duration)
    }

    /// The life of a key, and of every entry made with it.
    package static let keyLifetime = ClientHashes.keyLifetime

    private let rules: [Activity: Rule]
    private let capacity: Int
    private var hashes: ClientHashes
    private var wholeAgain: [ClientHash: ContinuousClock.Instant] = [:]

    /// - Parameters:
    ///   - rules: an activity without a rule is not limited.
    ///   - capacity: entries at most; one is about 48 bytes.
    package init(
        rules: [Activity: Rule], capacity: Int = 131_072, now: ContinuousClock.Instant,
        makeKey: @escaping @Sendable () -> SymmetricKey = { SymmetricKey(size: .bits256) }
    ) {
        self.rules = rules
        self.capacity = max(4, capacity)
        hashes = ClientHashes(now: now, makeKey: makeKey)
    }

    /// The entries held now.
    package var entryCount: Int { wholeAgain.count }

    /// Counts one, unless it would be too many: then nothing is counted.
    package mutating func take(
        _ activity: Activity, by client: ClientAddress, now: ContinuousClock.Instant
    ) -> Decision {
        if hashes.renew(now: now) { wholeAgain.removeAll(keepingCapacity: false) }
        guard let rule = rules[activity] else { return .allowed }
        let mark = hashes.hash(of: client, for: activity.rawValue)
        let start = max(wholeAgain[mark] ?? now, now)
        let spent = now.duration(to: start)
        let most = rule.interval * (rule.burst - 1)
        guard spent <= most else { return .refused(after: spent - most) }
        if wholeAgain[mark] == nil, wholeAgain.count >= capacity { makeRoom(now: now) }
        wholeAgain[mark] = start + rule.interval
        return .allowed
    }

    /// Drops what says nothing any more; if that is too little, also the quarter nearest to saying nothing, so that
    /// a flood of addresses costs each of them its count and locks nobody else out.
    private mutating func makeRoom(now: ContinuousClock.Instant) {
        wholeAgain = wholeAgain.filter { $0.value > now }
        let target = capacity - capacity / 4
        guard wholeAgain.count > target else { return }
        let cut = wholeAgain.values.sorted()[wholeAgain.count - target - 1]
        wholeAgain = wholeAgain.filter { $0.value > cut }
    }
}

extension RateLimiter.Rule {
    /// Reads `BURST/PER_SECOND`, such as `600/10` or `10/0.2`; nil if it is anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let burst = Int(parts[0]), (1...1_000_000).contains(burst),
            let perSecond = Double(parts[1]), perSecond >= 0.001, perSecond <= 1_000_000
        else { return nil }
        self.init(burst: burst, interval: .nanoseconds(Int64(1_000_000_000 / perSecond)))
    }

    /// What holds unless configured: generous, because an office or a lecture hall may share one address.
    package static let defaults: [RateLimiter.Activity: RateLimiter.Rule] = [
        .join: .init(burst: 600, interval: .milliseconds(100)),
        .ask: .init(burst: 120, interval: .milliseconds(250)),
        .signIn: .init(burst: 10, interval: .seconds(6)),
        .refresh: .init(burst: 60, interval: .seconds(1)),
        .read: .init(burst: 3_000, interval: .milliseconds(4)),
        .write: .init(burst: 300, interval: .milliseconds(50)),
    ]
}

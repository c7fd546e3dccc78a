import Crypto
import GatewayCore
import Synchronization
import Testing

@Suite("the rate limiter")
struct RateLimiterTests {
    private let start = ContinuousClock.now
    private let client = ClientAddress(bytes: [192, 0, 2, 1])

    private func limiter(burst: Int = 3, interval: Duration = .seconds(2), capacity: Int = 1_000) -> RateLimiter {
        RateLimiter(rules: [.ask: .init(burst: burst, interval: interval)], capacity: capacity, now: start)
    }

    @Test("a burst is allowed, what follows is refused and told how long to wait")
    func burst() {
        var limiter = limiter()
        for _ in 0..<3 { #expect(limiter.take(.ask, by: client, now: start) == .allowed) }
        #expect(limiter.take(.ask, by: client, now: start) == .refused(after: .seconds(2)))
        #expect(limiter.take(.ask, by: client, now: start + .seconds(1)) == .refused(after: .seconds(1)))
    }

    @Test("after waiting as told, exactly one more is allowed")
    func refill() {
        var limiter = limiter()
        for _ in 0..<3 { _ = limiter.take(.ask, by: client, now: start) }
        #expect(limiter.take(.ask, by: client, now: start + .seconds(2)) == .allowed)
        #expect(limiter.take(.ask, by: client, now: start + .seconds(2)) == .refused(after: .seconds(2)))
    }

    @Test("being refused costs nothing")
    func refusedIsFree() {
        var limiter = limiter(burst: 1)
        _ = limiter.take(.ask, by: client, now: start)
        for _ in 0..<100 { _ = limiter.take(.ask, by: client, now: start + .seconds(1)) }
        #expect(limiter.take(.ask, by: client, now: start + .seconds(2)) == .allowed)
    }

    @Test("a client that rests has its whole burst again, and no more than that")
    func rest() {
        var limiter = limiter()
        for _ in 0..<3 { _ = limiter.take(.ask, by: client, now: start) }
        let later = start + .seconds(600)
        for _ in 0..<3 { #expect(limiter.take(.ask, by: client, now: later) == .allowed) }
        #expect(limiter.take(.ask, by: client, now: later) != .allowed)
    }

    @Test("clients and activities are counted apart, and an activity without a rule not at all")
    func apart() {
        var limiter = RateLimiter(
            rules: [.ask: .init(burst: 1, interval: .seconds(1)), .join: .init(burst: 1, interval: .seconds(1))],
            now: start)
        #expect(limiter.take(.ask, by: client, now: start) == .allowed)
        #expect(limiter.take(.join, by: client, now: start) == .allowed)
        #expect(limiter.take(.ask, by: ClientAddress(bytes: [192, 0, 2, 2]), now: start) == .allowed)
        #expect(limiter.take(.ask, by: client, now: start) != .allowed)
        for _ in 0..<100 { #expect(limiter.take(.read, by: client, now: start) == .allowed) }
    }

    @Test("after a day the key is another and everybody is forgotten")
    func forgets() {
        let keys = Counter()
        var limiter = RateLimiter(rules: [.ask: .init(burst: 1, interval: .seconds(1_000_000))], now: start) {
            keys.increment()
            return SymmetricKey(size: .bits256)
        }
        #expect(limiter.take(.ask, by: client, now: start) == .allowed)
        #expect(limiter.take(.ask, by: client, now: start + .seconds(86_399)) != .allowed)
        #expect(keys.value == 1)
        #expect(limiter.take(.ask, by: client, now: start + .seconds(86_400)) == .allowed)
        #expect(keys.value == 2)
        #expect(limiter.entryCount == 1)
    }

    @Test("the table never holds more than its capacity, and those most limited stay in it")
    func bounded() {
        var limiter = limiter(burst: 5, interval: .seconds(100), capacity: 64)
        for _ in 0..<5 { _ = limiter.take(.ask, by: client, now: start) }
        for high in UInt8(0)..<20 {
            for low in UInt8(0)..<20 {
                let other = ClientAddress(bytes: [198, 51, high, low])
                #expect(limiter.take(.ask, by: other, now: start) == .allowed)
                #expect(limiter.entryCount <= 64)
            }
        }
        #expect(limiter.take(.ask, by: client, now: start) != .allowed)
    }

    @Test("entries that say nothing any more make room first")
    func expiredGoFirst() {
        var limiter = limiter(burst: 1, interval: .seconds(10), capacity: 4)
        for low in UInt8(0)..<4 { _ = limiter.take(.ask, by: ClientAddress(bytes: [198, 51, 100, low]), now: start) }
        let later = start + .seconds(11)
        #expect(limiter.take(.ask, by: client, now: later) == .allowed)
        #expect(limiter.entryCount == 1)
    }

    @Test("a rule is read from BURST/PER_SECOND and from nothing else")
    func rules() {
        #expect(RateLimiter.Rule("600/10") == .init(burst: 600, interval: .milliseconds(100)))
        #expect(RateLimiter.Rule("1/0.5") == .init(burst: 1, interval: .seconds(2)))
        for text in ["", "5", "5/", "/5", "0/1", "-1/1", "5/0", "5/-1", "5/nan", "5/inf", "5/1/1", "x/1", "5/1e99"] {
            #expect(RateLimiter.Rule(text) == nil, "\(text)")
        }
        for activity in RateLimiter.Activity.allCases { #expect(RateLimiter.Rule.defaults[activity] != nil) }
    }
}

@Suite("client addresses")
struct ClientAddressTests {
    @Test("an IPv6 client is its /64, an IPv4 client its address, however it is written")
    func kinds() {
        let prefix: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2]
        #expect(
            ClientAddress(bytes: prefix + [0, 0, 0, 0, 0, 0, 0, 1]) == ClientAddress(bytes: prefix + Array(9...16)))
        #expect(
            ClientAddress(bytes: prefix + Array(9...16))
                != ClientAddress(bytes: [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 3] + Array(9...16)))
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 192, 0, 2, 7]
        #expect(ClientAddress(bytes: mapped) == ClientAddress(bytes: [192, 0, 2, 7]))
        #expect(ClientAddress(bytes: [192, 0, 2, 7]) != ClientAddress(bytes: [192, 0, 2, 8]))
        #expect(ClientAddress(bytes: [1, 2, 3]) == .unknown)
    }

    @Test("a client that a proxy has a name for is neither an address nor another name")
    func names() {
        #expect(ClientAddress(name: "_a") == ClientAddress(name: "_a"))
        #expect(ClientAddress(name: "_a") != ClientAddress(name: "_b"))
        #expect(ClientAddress(name: "") != .unknown)
    }
}

/// Counts calls from a closure that has to be Sendable.
final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func increment() { count.withLock { $0 += 1 } }
}

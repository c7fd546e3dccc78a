import RPC
import ServiceKit
import Testing

@Suite("Places that several share")
struct PlacesTests {
    private static let one = Bound("calls-of-organisation", most: 8, whenCrowded: 2)
    private static let all = Bound("calls", most: 16)

    private let registry = MetricsRegistry()
    private let places: Places

    init() {
        places = Places(all: Self.all, refusals: Refusals([Self.one.name, Self.all.name], in: registry))
    }

    private func take(_ organisation: String) throws -> Places.Place {
        try places.take([.init(Self.one, of: organisation)])
    }

    private func take(_ organisation: String, _ count: Int) throws -> [Places.Place] {
        try (0..<count).map { _ in try take(organisation) }
    }

    @Test("one has so many places and no more, and another none the fewer for it")
    func bounded() throws {
        let north = try take("north", 8)
        #expect(throws: BoundReached(Self.one)) { try take("north") }
        let south = try take("south")
        #expect(places.taken == 9)
        _ = (north, south)
    }

    @Test("a place is given back once, by saying so or by letting go of it")
    func givenBack() throws {
        var north = try take("north", 8)
        north[0].giveBack()
        north[0].giveBack()
        #expect(places.taken == 7)
        north.removeAll()
        #expect(places.taken == 0 && places.holders == 0)
        north = try take("north", 8)
        #expect(places.taken == 8)
    }

    @Test("when three quarters are taken, whoever holds little still gets some, and whoever holds much no more")
    func crowded() throws {
        let north = try take("north", 8)
        let south = try take("south", 4)
        #expect(throws: BoundReached(Self.one)) { try take("south") }
        let others = try take("east", 2) + take("west", 2)
        #expect(throws: BoundReached(Self.all)) { try take("other") }
        #expect(places.taken == 16)
        _ = (north, south, others)
    }

    @Test("what one account refuses counts on none of them")
    func allOrNone() throws {
        let token = Bound("calls-of-token", most: 1)
        let first = try places.take([.init(Self.one, of: "north"), .init(token, of: "t")])
        #expect(throws: BoundReached(token)) {
            try places.take([.init(Self.one, of: "south"), .init(token, of: "t")])
        }
        #expect(places.taken == 1 && places.holders == 2)
        let south = try take("south", 8)
        _ = (first, south)
    }

    @Test("every refusal is counted under the bound's name, and nothing else makes a series")
    func counted() throws {
        let north = try take("north", 8)
        for _ in 0..<3 { #expect(throws: BoundReached.self) { try take("north") } }
        let text = registry.text()
        #expect(text.contains("bound_refusals_total{bound=\"calls-of-organisation\"} 3\n"))
        #expect(text.contains("bound_refusals_total{bound=\"calls\"} 0\n"))
        #expect(!text.contains("north"))
        _ = north
    }

    @Test("the error names the bound")
    func named() {
        let error = RPCError(
            BoundReached(Self.one), "too many calls", reason: "TOO_MANY_CALLS", retryAfter: .seconds(2))
        #expect(error.code == .resourceExhausted && error.reason == "TOO_MANY_CALLS")
        #expect(error.metadata == ["bound": "calls-of-organisation"])
    }
}

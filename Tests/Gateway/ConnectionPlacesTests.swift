import GatewayCore
import Testing

@Suite("the places of connections")
struct ConnectionPlacesTests {
    private let start = ContinuousClock.now

    private func client(_ number: UInt8) -> ClientAddress { ClientAddress(bytes: [198, 51, 100, number]) }

    private func places(_ maximum: Int, perClient: Int, perNetwork: Int = 1_000_000) -> ConnectionPlaces {
        ConnectionPlaces(
            maximum: maximum, maximumPerClient: perClient, maximumPerNetwork: perNetwork, now: start)
    }

    /// 2001:db8:NETWORK:SUBSCRIBER::1
    private func client(_ network: UInt8, _ subscriber: Int) -> ClientAddress {
        let prefix: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, network, UInt8(subscriber >> 8), UInt8(subscriber & 0xff)]
        return ClientAddress(bytes: prefix + [0, 0, 0, 0, 0, 0, 0, 1])
    }

    /// Comes as often as it gets in, and keeps every connection busy.
    private func fill(
        _ places: inout ConnectionPlaces, with client: ClientAddress
    ) -> (held: Int, by: ConnectionPlaces.Bound) {
        var held = 0
        while true {
            switch places.admit(client, now: start) {
            case .admitted(let id), .admittedFor(let id, closing: _, _):
                held += 1
                places.becomeBusy(id)
            case .refused(let bound): return (held, bound)
            }
        }
    }

    private func admit(_ places: inout ConnectionPlaces, _ number: UInt8?) -> ConnectionPlaces.Decision {
        places.admit(number.map { client($0) }, now: start)
    }

    private func id(_ decision: ConnectionPlaces.Decision) -> ConnectionPlaces.ID {
        switch decision {
        case .admitted(let id), .admittedFor(let id, closing: _, _): id
        case .refused: -1
        }
    }

    @Test("a client over its bound loses its own oldest idle connection, and nobody else's")
    func ownGivesWay() {
        var places = places(100, perClient: 2)
        let other = id(admit(&places, 2))
        let first = id(admit(&places, 1))
        let second = id(admit(&places, 1))
        places.becomeBusy(first)
        places.becomeIdle(first)
        // The second has been idle for longer now.
        #expect(admit(&places, 1) == .admittedFor(second + 1, closing: second, .perClient))
        #expect(places.count == 3)
        places.becomeBusy(first)
        places.becomeBusy(second + 1)
        #expect(admit(&places, 1) == .refused(.perClient))
        #expect(id(admit(&places, 2)) > other)
    }

    @Test("when all are taken, whoever has been idle for longest gives way, and those that wait for answers don't")
    func anybodyGivesWay() {
        var places = places(3, perClient: 3)
        let ids = [1, 2, 3].map { id(admit(&places, $0)) }
        places.becomeBusy(ids[0])
        let fourth = admit(&places, 4)
        #expect(fourth == .admittedFor(ids[2] + 1, closing: ids[1], .all))
        for id in [ids[2], id(fourth)] { places.becomeBusy(id) }
        #expect(admit(&places, 5) == .refused(.all))
        places.leave(ids[0])
        #expect(admit(&places, 5) == .admitted(id(fourth) + 1))
    }

    @Test("a trusted proxy has the bound of all alone")
    func proxies() {
        var places = places(10, perClient: 1)
        for _ in 0..<10 {
            let id = id(admit(&places, nil))
            places.becomeBusy(id)
        }
        #expect(admit(&places, nil) == .refused(.all))
        #expect(places.holderCount == 0)
    }

    @Test("clients are forgotten with their last connection, and idle ones cost no memory in the end")
    func forgets() {
        var places = places(50, perClient: 50)
        var ids: [ConnectionPlaces.ID] = []
        for number in UInt8(0)..<50 { ids.append(id(admit(&places, number % 5))) }
        #expect(places.holderCount == 5)
        for _ in 0..<100 {
            for id in ids {
                places.becomeBusy(id)
                places.becomeIdle(id)
            }
        }
        #expect(places.queueLength <= 2 * 50 + 16)
        for id in ids { places.leave(id) }
        #expect(places.count == 0 && places.holderCount == 0)
        places.leave(ids[0])
        places.becomeIdle(ids[0])
        #expect(places.count == 0)
        #expect(id(admit(&places, 1)) > 0)
    }

    @Test("a client has its bound anew when the key has changed, and its old connections still leave")
    func newKey() {
        var places = places(10, perClient: 1)
        let first = id(admit(&places, 1))
        places.becomeBusy(first)
        #expect(admit(&places, 1) == .refused(.perClient))
        let tomorrow = start + ClientHashes.keyLifetime
        #expect(places.admit(client(1), now: tomorrow) == .admitted(first + 1))
        places.leave(first)
        #expect(places.count == 1 && places.holderCount == 1)
    }

    @Test("a few clients that keep all their connections busy leave room for those who come after")
    func crowded() {
        var places = places(16_384, perClient: 4_096)
        var shares: [Int] = []
        for number in 1...53 {
            let (held, bound) = fill(&places, with: ClientAddress(bytes: [198, 51, 100, UInt8(number)]))
            #expect(bound == .perClient)
            shares.append(held)
        }
        #expect(shares.prefix(3) == [4_096, 4_096, 4_096])
        #expect(shares[3] < 200 && shares.dropFirst(3).allSatisfy { $0 >= 2 })
        #expect(shares == shares.sorted(by: >))
        // Hundreds more come, each with a feed and a connection for calls.
        for number in 0..<400 {
            for _ in 0..<2 {
                let newcomer = ClientAddress(bytes: [203, 0, UInt8(number >> 8), UInt8(number & 0xff)])
                guard case .admitted(let id) = places.admit(newcomer, now: start) else {
                    return #expect(Bool(false), "newcomer \(number) found no place")
                }
                places.becomeBusy(id)
            }
        }
    }

    @Test("an owner of a /48 has one network's places, however many subscribers' addresses it uses, and others theirs")
    func networks() {
        var places = places(1_000, perClient: 100, perNetwork: 300)
        var held = 0
        for subscriber in 0..<1_000 { held += fill(&places, with: client(1, subscriber)).held }
        #expect(held == 300)
        #expect(fill(&places, with: client(1, 5_000)) == (0, .perNetwork))
        #expect(fill(&places, with: client(2, 0)) == (100, .perClient))
        #expect(fill(&places, with: client(9)) == (100, .perClient))
        // Idle ones of the network give way to its own.
        var others = self.places(10, perClient: 5, perNetwork: 2)
        let first = id(others.admit(client(1, 1), now: start))
        _ = others.admit(client(1, 2), now: start)
        #expect(others.admit(client(1, 3), now: start) == .admittedFor(first + 2, closing: first, .perNetwork))
        #expect(others.count == 2 && others.holderCount == 3)
    }

    @Test("when all are taken, of the idle ones one of whoever holds most gives way, and not another's only one")
    func whoHoldsMost() {
        var places = places(8, perClient: 8)
        let only = id(admit(&places, 1))
        let many = (0..<5).map { _ in id(admit(&places, 2)) }
        let proxy = [id(admit(&places, nil)), id(admit(&places, nil))]
        #expect(places.count == 8)
        #expect(admit(&places, 3) == .admittedFor(proxy[1] + 1, closing: many[0], .all))
        for id in many.dropFirst() { places.becomeBusy(id) }
        #expect(admit(&places, 4) == .admittedFor(proxy[1] + 2, closing: only, .all))
    }
}

import GatewayCore
import Testing

@Suite("the places of connections")
struct ConnectionPlacesTests {
    private let start = ContinuousClock.now

    private func client(_ number: UInt8) -> ClientAddress { ClientAddress(bytes: [198, 51, 100, number]) }

    private func places(_ maximum: Int, perClient: Int) -> ConnectionPlaces {
        ConnectionPlaces(maximum: maximum, maximumPerClient: perClient, now: start)
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
        #expect(places.clientCount == 0)
    }

    @Test("clients are forgotten with their last connection, and idle ones cost no memory in the end")
    func forgets() {
        var places = places(50, perClient: 50)
        var ids: [ConnectionPlaces.ID] = []
        for number in UInt8(0)..<50 { ids.append(id(admit(&places, number % 5))) }
        #expect(places.clientCount == 5)
        for _ in 0..<100 {
            for id in ids {
                places.becomeBusy(id)
                places.becomeIdle(id)
            }
        }
        #expect(places.queueLength <= 2 * 50 + 16)
        for id in ids { places.leave(id) }
        #expect(places.count == 0 && places.clientCount == 0)
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
        #expect(places.count == 1 && places.clientCount == 1)
    }
}

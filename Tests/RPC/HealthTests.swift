import RPC
import Testing

@Suite("Health", .timeLimit(.minutes(1)))
struct HealthTests {
    @Test("the server serves from the start; a service does when it says so; another is not known")
    func checks() async throws {
        let health = HealthService()
        try await withServer([], health: health) { channel, _ in
            let client = HealthV1.HealthClient(channel: channel)
            #expect(try await client.check(.init()).status == .serving)
            let unknown = try await status { try await client.check(.init(service: "a.B")) }
            #expect(unknown?.code == .notFound)
            health.set(false, service: "a.B")
            #expect(try await client.check(.init(service: "a.B")).status == .notServing)
            health.set(true, service: "a.B")
            #expect(try await client.check(.init(service: "a.B")).status == .serving)
            health.set(false)
            #expect(try await client.check(.init()).status == .notServing)
        }
    }

    @Test("a watcher is told of every change, and that a service is not known yet")
    func watches() async throws {
        let health = HealthService()
        try await withServer([], health: health) { channel, _ in
            var statuses = HealthV1.HealthClient(channel: channel).watch(.init(service: "a.B")).makeAsyncIterator()
            expectEqual(try await statuses.next()?.status, .serviceUnknown)
            health.set(true, service: "a.B")
            expectEqual(try await statuses.next()?.status, .serving)
            health.set(false, service: "a.B")
            expectEqual(try await statuses.next()?.status, .notServing)
        }
    }

    @Test("a watcher of a server that stops is told, and does not hold it up")
    func endsWatches() async throws {
        try await withTemporaryFolder { folder in
            let server = makeServer(folder + "/s.sock", [], configure: { $0.drainTimeout = .seconds(30) })
            try await server.start()
            let channel = makeChannel(folder + "/s.sock")
            var statuses = HealthV1.HealthClient(channel: channel).watch(.init()).makeAsyncIterator()
            expectEqual(try await statuses.next()?.status, .serving)
            let began = ContinuousClock.now
            await server.shutDown()
            #expect(ContinuousClock.now - began < .seconds(20))
            expectEqual(try await statuses.next()?.status, .notServing)
            expectEqual(try await statuses.next(), nil)
            await channel.close()
        }
    }
}

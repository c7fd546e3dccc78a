import Foundation
import IdentityCore
import IdentityServer
import Privacy
import Testing

@Suite("The store")
struct IdentityStoreTests {
    private let now = Date(millisecondsSince1970: 1_800_000_000_000)

    private func withStore(_ body: (IdentityStore) async throws -> Void) async throws {
        try await TemporaryFolder.with { folder in
            let store = try IdentityStore(path: folder.path + "/identity.sqlite")
            try await body(store)
            await store.close()
        }
    }

    /// An organisation with one administrator.
    private func populate(_ store: IdentityStore) async throws -> Administrator {
        try await store.add(Organisation(id: "org-1", displayName: "Example News", createTime: now))
        let administrator = Administrator(
            id: "adm-1", organisationID: "org-1", email: try EmailAddress("Karin@example.se"),
            displayName: "Karin Berg", createTime: now)
        try await store.add(administrator, by: .operator)
        return administrator
    }

    @Test("what was added is read back the same")
    func roundTrip() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            #expect(try await store.organisation("org-1").displayName == "Example News")
            #expect(try await store.administrators(of: "org-1", after: nil, limit: 10) == [administrator])
        }
    }

    @Test("an unknown organisation has no administrators to list or add")
    func unknownOrganisation() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            await #expect(throws: IdentityError.organisationNotFound) { try await store.organisation("org-2") }
            await #expect(throws: IdentityError.organisationNotFound) {
                try await store.administrators(of: "org-2", after: nil, limit: 10)
            }
            let stray = Administrator(
                id: "adm-2", organisationID: "org-2", email: try EmailAddress("b@example.se"), displayName: "B",
                createTime: administrator.createTime)
            await #expect(throws: IdentityError.organisationNotFound) { try await store.add(stray, by: .operator) }
        }
    }

    @Test("pages go on after the last entry, also among entries of the same millisecond and after additions")
    func pages() async throws {
        try await withStore { store in
            for index in 0..<10 {
                // Pairs share a time.
                let time = now + Double(index / 2)
                try await store.add(Organisation(id: "org-\(index)", displayName: "Example \(index)", createTime: time))
            }
            let first = try await store.organisations(after: nil, limit: 5)
            #expect(first.map(\.id) == ["org-0", "org-1", "org-2", "org-3", "org-4"])
            try await store.add(Organisation(id: "org-00", displayName: "Early", createTime: now))
            let last = try #require(first.last)
            let second = try await store.organisations(
                after: ListPosition(createTime: last.createTime, id: last.id), limit: 100)
            #expect(second.map(\.id) == ["org-5", "org-6", "org-7", "org-8", "org-9"])
        }
    }

    @Test("of two uses of a code at the same time one succeeds")
    func redeemedOnce() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            var generator = SystemRandomNumberGenerator()
            let code = SignInCode.random(using: &generator)
            _ = try await store.issue(code, id: "code-1", to: administrator.email, by: .operator, at: now)
            let successes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    let first = RefreshToken.first(using: &generator)
                    group.addTask {
                        (try? await store.redeem(code, beginning: first, at: now)) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(successes == 1)
        }
    }

    @Test("of two trades of a token at the same time one succeeds, and the family has ended")
    func tradedOnce() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            var generator = SystemRandomNumberGenerator()
            let code = SignInCode.random(using: &generator)
            _ = try await store.issue(code, id: "code-1", to: administrator.email, by: .operator, at: now)
            let token = RefreshToken.first(using: &generator)
            _ = try await store.redeem(code, beginning: token, at: now)

            let times = ClockTimes(wall: now, confirmed: now)
            let nexts = [token.successor(using: &generator), token.successor(using: &generator)]
            async let one = store.trade(token, for: nexts[0], at: times)
            async let other = store.trade(token, for: nexts[1], at: times)
            let outcomes = try await [one, other]
            #expect(outcomes.contains(.ended(.reused)))
            #expect(outcomes.count { if case .traded = $0 { true } else { false } } == 1)
            for next in nexts {
                let after = next.successor(using: &generator)
                #expect(try await store.trade(next, for: after, at: times) == .unknown)
            }
        }
    }

    @Test("the sweep deletes what has expired and nothing else")
    func sweep() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            var generator = SystemRandomNumberGenerator()
            let code = SignInCode.random(using: &generator)
            _ = try await store.issue(code, id: "code-1", to: administrator.email, by: .operator, at: now)
            let token = RefreshToken.first(using: &generator)
            _ = try await store.redeem(code, beginning: token, at: now)
            _ = try await store.issue(
                SignInCode.random(using: &generator), id: "code-2", to: administrator.email,
                by: .administrator(id: administrator.id), at: now)

            #expect(try await store.forgetExpired(at: now + Lifetime.signInCode - 1) == 0)
            #expect(try await store.forgetExpired(at: now + Lifetime.signInCode) == 1)
            #expect(try await store.forgetExpired(at: now + Lifetime.refreshToken - 1) == 0)
            // With the record of the code that an administrator made.
            #expect(try await store.forgetExpired(at: now + Lifetime.refreshToken) == 2)
            #expect(try await store.administrators(of: "org-1", after: nil, limit: 10) == [administrator])
        }
    }

    @Test("administrators' codes are on record for 30 days, the operator's for 366")
    func codeRecords() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            var generator = SystemRandomNumberGenerator()
            for (id, maker) in [("code-1", Requester.operator), ("code-2", .administrator(id: administrator.id))] {
                _ = try await store.issue(
                    SignInCode.random(using: &generator), id: id, to: administrator.email, by: maker, at: now)
            }
            for (days, left) in [
                (29.0, ["code-2", "code-1"]), (30, ["code-1"]), (365.9, ["code-1"]), (366, []),
            ] {
                _ = try await store.forgetExpired(at: now + days * 86_400)
                let records = try await store.signInCodes(of: "org-1", after: nil, limit: 10)
                #expect(records.map(\.code.id) == left, "after \(days) days")
            }
        }
    }

    @Test("the sweep begins with the start of the service")
    func sweepRuns() async throws {
        try await withStore { store in
            let administrator = try await populate(store)
            var generator = SystemRandomNumberGenerator()
            _ = try await store.issue(
                SignInCode.random(using: &generator), id: "code-2", to: administrator.email,
                by: .administrator(id: administrator.id), at: now)
            let log = LogCapture()
            let clock = ManualWallClock(now + Lifetime.signInCode)
            let sweep = ExpirySweep(
                store: store, clock: GuardedClock(clock, stored: nil), logger: log.logger())
            let running = Task { try await sweep.run() }
            let deadline = ContinuousClock.now + .seconds(20)
            while !log.text.contains("expired sign-ins deleted"), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(log.text.contains(#""count":"1""#))
            #expect(try await store.forgetExpired(at: clock.now()) == 0)
        }
    }

    @Test("a signing key keeps its creation time, and another takes its place")
    func signingKey() async throws {
        try await withStore { store in
            var times: [Date] = []
            for (key, seconds) in [("0123", 0.0), ("0123", 100), ("4567", 200), ("0123", 300)] {
                times.append(try await store.adoptSigningKey(key, at: now + seconds))
            }
            #expect(times == [now, now, now + 200, now + 300])
        }
    }
}

import Contracts
import Foundation
import RPC
import Synchronization
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("One caller's many calls, and a neighbour that hangs, in whole processes", .timeLimit(.minutes(5)))
struct CrowdedCallsTests {
    @Test("another tenant's question and list wait no longer for 900 lists in flight than for 30")
    func lists() async throws {
        try await RunningSamtal.with { samtal in
            let north = try await TestOrganisation.create(in: samtal)
            let south = try await TestOrganisation.create(in: samtal, name: "Byrån", email: "bo@example.se")
            let long = try await north.openSession(in: samtal)
            let asker = try await samtal.join(long)
            for number in 0..<150 {
                let text = String(repeating: "Varför är det så? ", count: 60) + "\(number)"
                _ = try await samtal.chat.askQuestion(
                    .init(sessionID: long, text: text, requestID: "request-\(number)"), options: asker)
            }
            let other = Tenant(
                gateway: samtal.newChannel(.gateway), session: try await south.openSession(in: samtal),
                administrator: south.administrator)
            let participant = try await samtal.join(other.session)

            func wait(beside count: Int) async throws -> (wait: Duration, refused: Int) {
                try await medianWait(of: other, as: participant, beside: count, of: north, reading: long, in: samtal)
            }
            let (few, many) = (try await wait(beside: 30), try await wait(beside: 900))
            print("a question and a list beside 30 lists in flight: \(few.wait), beside 900: \(many.wait)")
            #expect(many.refused > 0 && few.refused == 0)
            #expect(many.wait < few.wait * 6)
            await other.gateway.close()
        }
    }

    private struct Tenant {
        let gateway: RPCChannel
        let session: String
        let administrator: CallOptions
    }

    private final class Counts: Sendable {
        let state = Mutex((answered: 0, refused: 0))
    }

    /// Asks and lists a few times while so many lists with one token are in flight.
    private func medianWait(
        of tenant: Tenant, as participant: CallOptions, beside count: Int, of crowd: TestOrganisation,
        reading session: String, in samtal: RunningSamtal
    ) async throws -> (wait: Duration, refused: Int) {
        let channel = samtal.newChannel(.gateway)
        let chat = ChatV1.ChatServiceClient(channel: channel)
        let counts = Counts()
        let waits = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            let options = CallOptions(metadata: crowd.administrator.metadata, timeout: .seconds(60))
                            _ = try await chat.listQuestions(.init(sessionID: session, pageSize: 50), options: options)
                            counts.state.withLock { $0.answered += 1 }
                        } catch let error as RPCError where error.reason == "TOO_MANY_CALLS" {
                            #expect(error.metadata == ["bound": "forwarded-calls-of-token"])
                            counts.state.withLock { $0.refused += 1 }
                            try? await Task.sleep(for: error.retryAfter ?? .seconds(1))
                        } catch {
                            return
                        }
                    }
                }
            }
            try await eventually("the crowd reads", within: .seconds(60)) { counts.state.withLock { $0.answered } > 30 }
            var waits: [Duration] = []
            let own = ChatV1.ChatServiceClient(channel: tenant.gateway)
            for number in 0..<9 {
                let began = ContinuousClock.now
                _ = try await own.askQuestion(
                    .init(sessionID: tenant.session, text: "Går det?", requestID: "request-\(count)-\(number)"),
                    options: participant)
                _ = try await own.listQuestions(.init(sessionID: tenant.session), options: tenant.administrator)
                waits.append(ContinuousClock.now - began)
            }
            group.cancelAll()
            return waits.sorted()
        }
        await channel.close()
        return (waits[waits.count / 2], counts.state.withLock { $0.refused })
    }

    @Test("a neighbour that is stopped without ending counts as serving no more, and the others go on")
    func stopped() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let health = HealthV1.HealthClient(channel: samtal.channel(.gateway))
            func status(_ service: String) async throws -> HealthV1.HealthCheckResponse.ServingStatus {
                try await health.check(.init(service: service)).status
            }
            let chat = ChatV1.ChatServiceMethods.getSession.service
            try await eventually("chat serves") { try await status(chat) == .serving }
            let heard = "\(samtal.folder)/events"
            let follower = try ChildProcess(
                "/usr/bin/curl", ["-sN", "--max-time", "90", "\(samtal.httpAddress())/v1/sessions/\(session)/events"],
                log: heard)
            func hears(_ event: String) async throws {
                try await eventually("followers hear \(event)", within: .seconds(40)) {
                    follower.printed.contains("event: \(event)\n")
                }
            }
            try await hears("caught-up")
            samtal.child(.chat)?.signal(SIGSTOP)
            do {
                try await eventually("it serves no more", within: .seconds(40)) {
                    try await status(chat) == .notServing
                }
                let shown = try await neighbours(samtal)
                #expect(shown["chat"] == "not answering")
                #expect(shown["identity"] == "serving" && shown["retention"] == "serving")
                #expect(try await status(IdentityV1.IdentityServiceMethods.signIn.service) == .serving)
                try await hears("away")
            } catch {
                samtal.child(.chat)?.signal(SIGCONT)
                throw error
            }
            samtal.child(.chat)?.signal(SIGCONT)
            try await eventually("it serves again", within: .seconds(40)) { try await status(chat) == .serving }
            #expect(try await neighbours(samtal)["chat"] == "serving")
            try await hears("back")
            follower.signal(SIGTERM)
            let found = try await ChatV1.ChatServiceClient(channel: samtal.channel(.gateway))
                .getSession(.init(sessionID: session))
            #expect(found.sessionID == session)
        }
    }

    /// What `/healthz` says of each.
    private func neighbours(_ samtal: RunningSamtal) async throws -> [String: String] {
        let url = try #require(URL(string: "\(samtal.httpAddress())/healthz"))
        let (data, _) = try await URLSession.shared.data(from: url)
        let json = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return json?["neighbours"] as? [String: String] ?? [:]
    }
}

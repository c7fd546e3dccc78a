import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("The machine's clock steps")
struct ClockTests {
    private static let weeks = 70 * 86_400

    /// An organisation, and a session that has ended and one that goes on, with a question each.
    private struct Stage {
        let samtal: RunningSamtal
        let organisation: TestOrganisation
        let ended: String
        let live: String

        init(_ samtal: RunningSamtal) async throws {
            self.samtal = samtal
            organisation = try await TestOrganisation.create(in: samtal)
            ended = try await organisation.openSession(in: samtal, title: "Avslutat")
            live = try await organisation.openSession(in: samtal, title: "Pågår")
            for session in [ended, live] { _ = try await Self.ask(in: session, of: samtal) }
            _ = try await samtal.chat.endSession(.init(sessionID: ended), options: organisation.administrator)
            let (samtal, ended) = (samtal, ended)
            try await eventually("retention knows the end") {
                let deadlines = try await samtal.retention.getSessionDeadlines(.init(sessionIDs: [ended])).deadlines
                return deadlines.first?.deleteTime != nil
            }
        }

        static func ask(in session: String, of samtal: RunningSamtal) async throws -> ChatV1.Question {
            let participant = try await samtal.join(session)
            return try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "Vad kostar det?", requestID: UUID().uuidString), options: participant)
        }

        func state(of session: String) async throws -> ChatV1.SessionState? {
            do {
                return try await samtal.chat.getSession(.init(sessionID: session)).state
            } catch let error as RPCError where error.code == .notFound {
                return nil
            }
        }

        /// How many sessions are certified to be erased.
        func certificates() async throws -> Int {
            try await samtal.retention.listCertificates(
                .init(organisationID: organisation.organisationID),
                options: CallOptions(metadata: ["samtal-role": "operator"], timeout: .seconds(20))
            ).certificates.count
        }

        func clocks() async throws -> [ClockV1.Clock] {
            let options = CallOptions(metadata: ["samtal-role": "operator"], timeout: .seconds(20))
            return [
                try await ClockV1.ClockServiceClient(channel: samtal.channel(.chat)).getClock(
                    .init(), options: options),
                try await ClockV1.ClockServiceClient(channel: samtal.channel(.retention))
                    .getClock(.init(), options: options),
            ]
        }

        /// What the gateway says of the services' clocks.
        func healthz() async throws -> [String: String] {
            let url = try #require(URL(string: "\(samtal.httpAddress())/healthz"))
            let (data, _) = try await URLSession.shared.data(from: url)
            let json = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            return json?["clocks"] as? [String: String] ?? [:]
        }

        func command(_ arguments: String...) async throws -> (status: Int32, printed: String) {
            try await ChildProcess.run("samtal", arguments + ["--data", samtal.data])
        }
    }

    @Test("70 days ahead for 4 seconds and back: nothing is ended or erased, and no time is off afterwards")
    func takenBack() async throws {
        let clock = try await TestClock()
        try await RunningSamtal.with([.identity, .retention, .chat], clock: clock) { samtal in
            let stage = try await Stage(samtal)
            #expect(try await stage.state(of: stage.ended) == .ended)
            let id = stage.organisation.organisationID
            let first = try await samtal.signIn("anna@example.se", organisationID: id)

            try clock.set(ahead: Self.weeks)
            try await eventually("what may be overdue is hidden") { try await stage.state(of: stage.ended) == nil }
            #expect(try await stage.state(of: stage.live) == .open)
            let asked = try await Stage.ask(in: stage.live, of: samtal)
            // Far beyond the 30 days of a sign-in.
            let second = try await samtal.identity.refreshTokens(.init(refreshToken: first.refreshToken))
            try await Task.sleep(for: .seconds(4))
            #expect(try await stage.clocks().map(\.state) == [.ahead, .ahead])
            try clock.set(ahead: 0)

            try await eventually("it is there again") { try await stage.state(of: stage.ended) == .ended }
            #expect(try await stage.state(of: stage.live) == .open)
            #expect(try await stage.certificates() == 0)
            let after = try await Stage.ask(in: stage.live, of: samtal)
            for question in [asked, after] {
                #expect(abs(try #require(question.askTime).date.timeIntervalSinceNow) < 300)
            }
            for clock in try await stage.clocks() {
                #expect(clock.state == .steady && clock.stepSeconds == 0)
                #expect(abs(try #require(clock.confirmedTime).date.timeIntervalSinceNow) < 60)
                #expect(abs(try #require(clock.hidingTime).date.timeIntervalSinceNow) < 60)
            }
            let third = try await samtal.identity.refreshTokens(.init(refreshToken: second.refreshToken))
            let options = CallOptions(
                metadata: ["authorization": "Bearer \(third.accessToken)"], timeout: .seconds(20))
            #expect(try await samtal.chat.listSessions(.init(), options: options).sessions.count == 2)
            // Nor is it in the next processes.
            for service in [RunningSamtal.Service.retention, .chat] {
                try await samtal.end(service, signal: SIGTERM)
                try await samtal.start(service)
            }
            #expect(try await stage.state(of: stage.ended) == .ended)
            let ended = try await samtal.chat.endSession(
                .init(sessionID: stage.live), options: stage.organisation.administrator)
            #expect(abs(try #require(ended.endTime).date.timeIntervalSinceNow) < 300)
            #expect(try await stage.certificates() == 0)
        }
    }

    @Test("a clock that stays ahead hides at once, also across a restart, and erases when the operator confirms it")
    func staysAhead() async throws {
        let clock = try await TestClock()
        try await RunningSamtal.with([.identity, .retention, .chat, .gateway], clock: clock) { samtal in
            let stage = try await Stage(samtal)
            #expect(try await stage.healthz() == ["identity": "steady", "chat": "steady", "retention": "steady"])
            let steady = try await stage.command("clock")
            #expect(steady.status == 0 && steady.printed.contains("steady"), "\(steady.printed)")

            try clock.set(ahead: Self.weeks)
            try await eventually("what may be overdue is hidden") { try await stage.state(of: stage.ended) == nil }
            for service in [RunningSamtal.Service.chat, .retention] {
                // A crash, which stores nothing on its way out.
                try await samtal.end(service, signal: SIGKILL)
                try await samtal.start(service)
            }
            #expect(try await stage.state(of: stage.ended) == nil)
            // Longer than any pass of what erases and ends.
            try await Task.sleep(for: .seconds(4))
            #expect(try await stage.state(of: stage.live) == .open)
            #expect(try await stage.certificates() == 0)

            let ahead = try await stage.command("clock")
            #expect(ahead.status == 1 && ahead.printed.components(separatedBy: "AHEAD").count == 4, "\(ahead.printed)")
            #expect(try await stage.healthz() == ["identity": "held", "chat": "held", "retention": "held"])
            let status = try await stage.command("status")
            #expect(status.printed.contains("CLOCK NOT CONFIRMED"), "\(status.printed)")
            for service in [RunningSamtal.Service.chat, .retention] {
                #expect(samtal.child(service)?.printed.contains("stepped ahead") == true)
            }

            let confirmed = try await stage.command("clock", "confirm")
            #expect(confirmed.status == 0 && confirmed.printed.contains("steady"), "\(confirmed.printed)")
            for (count, what) in [(1, "what was over"), (2, "what had gone on for too long")] {
                try await eventually("\(what) is erased", within: .seconds(60)) {
                    try await stage.certificates() >= count
                }
            }
            #expect(try await stage.state(of: stage.live) == nil)
            #expect(samtal.child(.retention)?.printed.contains("confirmed the machine's clock") == true)

            // It was a mistake: set right, the services are back at the real time.
            try clock.set(ahead: 0)
            try await eventually("the clock is behind") { try await stage.clocks().allSatisfy { $0.state == .behind } }
            let refused = try await stage.command("clock", "confirm")
            #expect(refused.status == 1 && refused.printed.contains("behind the mark"), "\(refused.printed)")
            let wrong = try await stage.command("clock", "set-mark", "2020-01-01T00:00:00Z")
            #expect(wrong.status == 1 && wrong.printed.contains("another time"), "\(wrong.printed)")
            let right = try await stage.command("clock", "set-mark", Date().formatted(.iso8601))
            #expect(right.status == 0 && right.printed.components(separatedBy: "steady").count == 4, "\(right.printed)")
            for clock in try await stage.clocks() {
                #expect(abs(try #require(clock.hidingTime).date.timeIntervalSinceNow) < 60)
            }
            #expect(samtal.child(.chat)?.printed.contains("set the clock's mark") == true)
        }
    }

    @Test("an administrator signed out while the clock was ahead stays signed out when the step is confirmed")
    func signedOut() async throws {
        let clock = try await TestClock()
        try await RunningSamtal.with([.identity, .retention, .chat], clock: clock) { samtal in
            let stage = try await Stage(samtal)
            let before = try await samtal.signIn(
                "anna@example.se", organisationID: stage.organisation.organisationID)
            try clock.set(ahead: 7200)
            let tokens = try await samtal.identity.refreshTokens(.init(refreshToken: before.refreshToken))
            let options = CallOptions(
                metadata: ["authorization": "Bearer \(tokens.accessToken)"], timeout: .seconds(20))
            _ = try await samtal.chat.listSessions(.init(), options: options)
            func refusal() async throws -> String? {
                do {
                    _ = try await samtal.chat.listSessions(.init(), options: options)
                    return nil
                } catch let error as RPCError {
                    return error.reason
                }
            }
            _ = try await samtal.identity.revokeTokens(.init(refreshToken: tokens.refreshToken))
            try await eventually("chat refuses the token") { try await refusal() == "SIGN_IN_ENDED" }
            let confirmed = try await stage.command("clock", "confirm")
            #expect(confirmed.status == 0, "\(confirmed.printed)")
            // Chat asks every other second.
            try await Task.sleep(for: .seconds(5))
            #expect(try await refusal() == "SIGN_IN_ENDED")
            // Back again: what was issued ahead is refused for that.
            try clock.set(ahead: 0)
            #expect(try await refusal() == "TOKEN_EXPIRED")
        }
    }
}

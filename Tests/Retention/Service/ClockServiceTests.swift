import Contracts
import Foundation
import Privacy
import RPC
import RetentionServer
import ServiceKit
import Testing

@Suite("Retention, when the machine's clock steps")
struct ClockServiceTests {
    private static let weeks: TimeInterval = 70 * 86_400

    private func clocks(_ retention: RunningRetention) -> ClockV1.ClockServiceClient {
        ClockV1.ClockServiceClient(channel: retention.channel)
    }

    @Test("a step ahead hides, erases and certifies nothing, and the operator's word does")
    func confirmed() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 7)
                    try await retention.open("session-1")
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await retention.end("session-1")
                    let clock = clocks(retention)
                    let options = RunningRetention.asOperator
                    retention.clock.set(RunningRetention.start.addingTimeInterval(Self.weeks))
                    try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.key(of: "session-1") }
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(chat.erasures(of: "session-1") == 0)
                    #expect(try await retention.isCertified("session-1") == false)
                    let ahead = try await clock.getClock(.init(), options: options)
                    #expect(
                        ahead.state == .ahead && ahead.stepSeconds == Int64(Self.weeks) && ahead.waitSeconds == 3600)
                    #expect(ahead.confirmedTime?.date == RunningRetention.start)
                    #expect(retention.log.text.contains("stepped ahead"))
                    #expect(retention.metrics.text().contains("clock_unconfirmed 1\n"))
                    #expect(retention.metrics.text().contains("clock_step_seconds 6048000\n"))

                    // Nobody but the operator is asked.
                    for other in [RunningRetention.asChat, RunningRetention.asAnyone] {
                        let refused = try await status { try await clock.confirmClock(.init(), options: other) }
                        #expect(refused?.code == .permissionDenied)
                    }
                    #expect(try await clock.confirmClock(.init(), options: options).state == .steady)
                    try await eventually("the session is erased") { try await retention.isCertified("session-1") }
                    #expect(retention.metrics.text().contains("clock_unconfirmed 0\n"))
                    #expect(retention.log.text.contains("the operator confirmed the machine's clock"))
                }
            }
        }
    }

    @Test("a wrong mark is set right, and it stays so across a restart")
    func setRight() async throws {
        try await withFolder { folder in
            let machine = ManualWallClock(RunningRetention.start)
            try await withRetention(in: folder, clock: machine) { retention in
                let clock = clocks(retention)
                let options = RunningRetention.asOperator
                machine.set(RunningRetention.start.addingTimeInterval(Self.weeks))
                _ = try await clock.confirmClock(.init(), options: options)
                machine.set(RunningRetention.start)
                #expect(try await clock.getClock(.init(), options: options).state == .behind)
                let refused = try await status { try await clock.confirmClock(.init(), options: options) }
                #expect(refused?.code == .failedPrecondition && refused?.reason == "CLOCK_BEHIND")
                let early = GoogleProtobuf.Timestamp(RunningRetention.start.addingTimeInterval(-86_400))
                let differs = try await status { try await clock.setClockMark(.init(mark: early), options: options) }
                #expect(differs?.reason == "CLOCK_DIFFERS")
                let missing = try await status { try await clock.setClockMark(.init(), options: options) }
                #expect(missing?.code == .invalidArgument)
                let set = try await clock.setClockMark(
                    .init(mark: GoogleProtobuf.Timestamp(RunningRetention.start)), options: options)
                #expect(set.state == .steady && set.hidingTime?.date == RunningRetention.start)
            }
            try await withRetention(in: folder, clock: machine) { retention in
                let clock = try await clocks(retention).getClock(.init(), options: RunningRetention.asOperator)
                #expect(clock.state == .steady && clock.confirmedTime?.date == RunningRetention.start)
            }
        }
    }

    @Test("a machine that starts more than 48 hours later waits; one that starts sooner goes on")
    func machineRestarts() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { _ in }
            for (boot, days, state) in [
                ("second", 1.0, ClockV1.ClockState.steady), ("third", 4, .ahead),
            ] {
                let machine = ManualWallClock(
                    RunningRetention.start.addingTimeInterval(days * 86_400), boot: boot, uptime: 20)
                try await withRetention(in: folder, clock: machine) { retention in
                    let clock = try await clocks(retention)
                        .getClock(.init(), options: RunningRetention.asOperator)
                    #expect(clock.state == state)
                }
            }
        }
    }
}

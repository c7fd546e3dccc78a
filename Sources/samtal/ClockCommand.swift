import ArgumentParser
import Contracts
import Foundation
import RPC

/// `samtal clock`: the time that the services go by.
struct ClockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock",
        abstract: "Shows the time that the services go by, confirms a step, and sets a wrong mark right.",
        discussion: """
            A machine's clock that steps by more than 5 minutes, or is more than 48 hours ahead after a restart of the \
            machine, may be wrong. Sessions are hidden at once by the latest time that might be right. None ends or is \
            erased by the new time, and nobody is signed out, until the clock has been steady for an hour, or the operator confirms it. A step \
            that is taken back leaves nothing behind.

            Exits with 1 while a clock is not steady.
            """,
        subcommands: [Show.self, Confirm.self, SetMark.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the clocks.")

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            var isSteady = true
            try await Connection.with(connection) { services in
                for (name, service) in services.clocks {
                    let clock = try await service.getClock(.init())
                    isSteady = isSteady && clock.state == .steady
                    try say(clock.described(of: name))
                }
            }
            if !isSteady { throw ExitCode(1) }
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says that the machine's clock is right after a step ahead. What is due by it is erased now.",
            discussion: """
                Look at samtal clock first, and compare the machine's time with another clock: erasures can't be undone. \
                Without this the step is confirmed by itself once the clock has been steady for an hour. The services' \
                logs say that it was confirmed.
                """)

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await Connection.with(connection) { services in
                for (name, service) in services.clocks {
                    try say(try await service.confirmClock(.init()).described(of: name))
                }
            }
        }
    }

    struct SetMark: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-mark",
            abstract: "Sets the latest confirmed time, also to an earlier one: after a wrong time was confirmed.",
            discussion: """
                Set the machine's clock right first; it has to say the same within 5 minutes. Sessions that were hidden by \
                the wrong time and are not erased are there again. Times that were stored meanwhile stay as they are. The \
                services' logs say that the mark was set.

                  samtal clock set-mark 2026-11-28T09:30:00Z
                """)

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "What time it is: yyyy-mm-ddThh:mm:ssZ.") var time: String

        private func date() throws -> Date {
            guard let date = try? Date(time, strategy: .iso8601) else {
                throw ValidationError("\(time) is no time such as 2026-11-28T09:30:00Z.")
            }
            return date
        }

        func validate() throws { _ = try date() }

        func run() async throws {
            let mark = GoogleProtobuf.Timestamp(try date())
            try await Connection.with(connection) { services in
                for (name, service) in services.clocks {
                    try say(try await service.setClockMark(.init(mark: mark)).described(of: name))
                }
            }
        }
    }
}

extension ClockV1.Clock {
    fileprivate func described(of service: String) -> String {
        let machine = machineTime?.date.formatted(.iso8601) ?? ""
        let name = service.padding(toLength: 10, withPad: " ", startingAt: 0)
        if state == .steady { return "\(name) steady  \(machine)" }
        let confirmed = confirmedTime?.date.formatted(.iso8601) ?? ""
        let minutes = (waitSeconds + 59) / 60
        let wait = waitSeconds > 0 ? "; by itself in \(minutes) min if it stays steady" : ""
        switch state {
        case .ahead:
            return """
                \(name) AHEAD by \(stepSeconds) s  machine \(machine)  confirmed \(confirmed)
                           sessions are hidden by the machine's time, and end and are erased by the confirmed one\(wait)
                           if the machine's time is right: samtal clock confirm
                """
        default:
            return """
                \(name) BEHIND by \(-stepSeconds) s  machine \(machine)  confirmed \(confirmed)
                           time goes on from the confirmed one\(waitSeconds > 0 ? " in \(minutes) min" : "")
                           if the confirmed time is wrong: samtal clock set-mark
                """
        }
    }
}

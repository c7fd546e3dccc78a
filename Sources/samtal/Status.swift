import ArgumentParser
import Foundation
import Logging
import NIOPosix
import Privacy
import RPC
import ServiceKit

/// `samtal status`: asks the four processes how they are.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks the four processes how they are; exits with 1 unless all are serving.",
        discussion: """
            Each that serves says also in which region of the EU or EEA it keeps its data, as declared, whether the \
            machine's clock has stepped (samtal clock), and whether certificates can be signed (samtal ledger-anchor).
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(help: ArgumentHelp("Wait up to this long until all are serving.", valueName: "seconds")) var wait: Int = 0

    enum Health: String {
        case serving
        case notServing = "not serving"
        case unreachable
    }

    func run() async throws {
        let limit = ContinuousClock.now.advanced(by: .seconds(wait))
        let names = ["identity", "chat", "retention", "gateway"]
        var states = await ask(names)
        while states.contains(where: { $0 != .serving }), ContinuousClock.now < limit {
            try await Task.sleep(for: .milliseconds(100))
            states = await ask(names)
        }
        for (name, state) in zip(names, states) {
            let region = state == .serving ? await region(of: name).map { "  in \($0), as declared" } : nil
            let clock = state == .serving ? await notices(of: name) : ""
            let padded = name.padding(toLength: 10, withPad: " ", startingAt: 0)
            try say("\(padded) \(state.rawValue)  \(connection.socket(name))\(region ?? "")\(clock)")
        }
        if states.contains(where: { $0 != .serving }) { throw ExitCode(1) }
    }

    private func ask(_ names: [String]) async -> [Health] {
        var states: [Health] = []
        for name in names { states.append(await health(of: name)) }
        return states
    }

    private func channel(to name: String) -> RPCChannel {
        RPCChannel(
            socketPath: connection.socket(name), name: name, group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "samtal") { _ in SwiftLogNoOpLogHandler() })
    }

    private func region(of name: String) async -> Region? {
        let channel = channel(to: name)
        let region = await NeighbourRegion(of: name, channel: channel).ask()
        await channel.close()
        return region
    }

    /// What somebody has to see to. Services that have no such thing don't know its name.
    private func notices(of name: String) async -> String {
        var notices = ""
        if await health(of: name, service: ClockHandler.healthName) == .notServing {
            notices += "  CLOCK NOT CONFIRMED: samtal clock"
        }
        if await health(of: name, service: "samtal.ledger") == .notServing {
            notices += "  NO CERTIFICATE IS SIGNED: samtal ledger-anchor"
        }
        return notices
    }

    private func health(of name: String, service: String = "") async -> Health {
        let channel = channel(to: name)
        let answer = try? await HealthV1.HealthClient(channel: channel)
            .check(.init(service: service), options: CallOptions(timeout: .seconds(2)))
        await channel.close()
        guard let answer else { return .unreachable }
        return answer.status == .serving ? .serving : .notServing
    }
}

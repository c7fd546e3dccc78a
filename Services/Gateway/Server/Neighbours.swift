internal import Contracts
package import RPC
internal import ServiceKit

/// The channels to the three services behind the gateway.
///
/// There are several to each: a connection takes a bounded number of calls, so those that may be long or many have one of
/// their own, and short ones never wait for them.
package struct Neighbours: Sendable {
    package static let names = ["identity", "chat", "retention"]

    /// What a connection is for.
    package enum Purpose: String, CaseIterable, Sendable {
        case shortCalls = ""
        case exports, erasures
        /// Lists, a page at a time: a page is long, and short calls would wait behind many of them.
        case pages
        /// Streams that are passed on for other backends.
        case streams

        init(_ method: MethodDescriptor) {
            switch method.path {
            case RetentionV1.RetentionServiceMethods.exportSession.path: self = .exports
            case RetentionV1.RetentionServiceMethods.eraseSession.path: self = .erasures
            case ChatV1.ChatServiceMethods.listQuestions.path, ChatV1.ChatServiceMethods.listSessions.path,
                RetentionV1.RetentionServiceMethods.listCertificates.path,
                IdentityV1.IdentityServiceMethods.listAdministrators.path:
                self = .pages
            default: self = method.kind == .unary ? .shortCalls : .streams
            }
        }
    }

    /// A service, and what it is asked for.
    struct Key: Hashable {
        let name: String
        let purpose: Purpose
    }

    /// What a neighbour said of itself, as `/healthz` names it.
    enum Health: String, Sendable {
        case serving
        /// It says that it doesn't.
        case notServing = "not serving"
        /// It takes calls, and does not answer them in time: it hangs, or was stopped.
        case notAnswering = "not answering"
        case unreachable
    }

    /// What a neighbour believes of its machine's clock, as `/healthz` names it.
    enum ClockState: String, Sendable {
        case steady
        /// It has stepped: nothing ends or is erased by it until it is confirmed.
        case held
        /// It does not say: it is away, or has no clock of its own.
        case unknown
    }

    /// What is known of a neighbour.
    struct Report: Sendable {
        var name: String
        var health = Health.unreachable
        var clock = ClockState.unknown
    }

    private let channels: [Key: RPCChannel]
    private let asked = AskedOnce<[Report]>()

    /// - Parameter channel: makes the channel to the service of that name, which need not be up, for that purpose.
    package init(channel: (_ name: String, _ purpose: Purpose) -> RPCChannel) {
        var channels: [Key: RPCChannel] = [:]
        for name in Self.names {
            for purpose in Purpose.allCases {
                channels[Key(name: name, purpose: purpose)] = channel(name, purpose)
            }
        }
        self.channels = channels
    }

    /// - Throws: UNIMPLEMENTED if there is no such service.
    func channel(to name: String, for method: MethodDescriptor) throws(RPCError) -> RPCChannel {
        try channel(to: name, for: Purpose(method))
    }

    /// - Throws: UNIMPLEMENTED if there is no such service.
    func channel(to name: String, for purpose: Purpose) throws(RPCError) -> RPCChannel {
        guard let channel = channels[Key(name: name, purpose: purpose)] else {
            throw RPCError(.unimplemented, "there is no service \(name)")
        }
        return channel
    }

    /// What the services say, asked all at once and each for two seconds at most; callers at the same time
    /// share one answer.
    func health() async -> [Report] {
        await asked.value { [channels] in
            await withTaskGroup(of: Report.self) { group in
                for name in Self.names {
                    guard let channel = channels[Key(name: name, purpose: .shortCalls)] else { continue }
                    group.addTask { await Self.report(of: name, by: channel) }
                }
                var found: [String: Report] = [:]
                for await report in group { found[report.name] = report }
                return Self.names.map { found[$0] ?? Report(name: $0) }
            }
        }
    }

    private static func report(of name: String, by channel: RPCChannel) async -> Report {
        let options = CallOptions(timeout: .seconds(1), waitForReady: false)
        let client = HealthV1.HealthClient(channel: channel)
        var report = Report(name: name)
        do {
            report.health =
                try await client.check(.init(), options: options).status == .serving ? .serving : .notServing
        } catch {
            report.health = (error as? RPCError)?.code == .deadlineExceeded ? .notAnswering : .unreachable
            return report
        }
        if let clock = try? await client.check(.init(service: ClockHandler.healthName), options: options) {
            report.clock = clock.status == .serving ? .steady : .held
        }
        return report
    }
}

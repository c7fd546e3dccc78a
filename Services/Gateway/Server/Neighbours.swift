internal import Contracts
package import RPC

/// The channels to the three services behind the gateway.
package struct Neighbours: Sendable {
    package static let names = ["identity", "chat", "retention"]

    private let channels: [String: RPCChannel]

    /// - Parameter channel: makes the channel to the service of that name, which need not be up.
    package init(channel: (String) -> RPCChannel) {
        channels = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, channel($0)) })
    }

    /// - Throws: UNIMPLEMENTED if there is no such service.
    func channel(to name: String) throws(RPCError) -> RPCChannel {
        guard let channel = channels[name] else { throw RPCError(.unimplemented, "there is no service \(name)") }
        return channel
    }

    /// Which services answer that they serve, asked all at once and each for a second at most.
    func health() async -> [(name: String, isServing: Bool)] {
        await withTaskGroup(of: (String, Bool).self) { group in
            for (name, channel) in channels {
                group.addTask {
                    let health = HealthV1.HealthClient(channel: channel)
                    let options = CallOptions(timeout: .seconds(1), waitForReady: false)
                    let answer = try? await health.check(.init(), options: options)
                    return (name, answer?.status == .serving)
                }
            }
            var found: [String: Bool] = [:]
            for await (name, isServing) in group { found[name] = isServing }
            return Self.names.map { ($0, found[$0] ?? false) }
        }
    }
}

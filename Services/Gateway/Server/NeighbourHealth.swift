internal import Contracts
internal import GatewayCore
package import RPC
internal import ServiceKit
internal import ServiceLifecycle

/// Says of each service behind the gateway whether it serves, by its full name and its package's, to whoever asks the
/// gateway's own health: follows what the neighbours say of themselves. A neighbour that serves is asked where it keeps its
/// data, each time that it begins to: that can't change while it runs.
///
/// A process that has stopped without ending keeps its connections and says nothing. So each neighbour is asked again and
/// again besides, and has a time to answer in.
package struct NeighbourHealth: Service {
    private let neighbours: Neighbours
    private let health: HealthService
    private let regions: KnownRegions
    private let pause: Duration
    private let limit: Duration
    private let onChange: @Sendable (_ name: String, _ isServing: Bool) -> Void

    /// - Parameters:
    ///   - pause: between an answer and the next question.
    ///   - limit: how long a neighbour may take to answer.
    ///   - onChange: called with what each is found to be, also when it was that before.
    package init(
        neighbours: Neighbours, health: HealthService, regions: KnownRegions, pause: Duration = .seconds(2),
        limit: Duration = .seconds(3),
        onChange: @escaping @Sendable (_ name: String, _ isServing: Bool) -> Void = { _, _ in }
    ) {
        self.onChange = onChange
        self.pause = pause
        self.limit = limit
        self.regions = regions
        self.neighbours = neighbours
        self.health = health
        // Known, and not serving before they have said so.
        for (name, _) in Forwarding.services { say(false, of: name) }
    }

    /// The full names of all the services.
    package static var services: Set<String> { Set(Forwarding.services.flatMap { $0.methods.map(\.service) }) }

    package func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for (name, _) in Forwarding.services {
                let channel = try neighbours.channel(to: name, for: .shortCalls)
                let client = HealthV1.HealthClient(channel: channel)
                group.addTask { await follow(name, client, region: NeighbourRegion(of: name, channel: channel)) }
            }
        }
    }

    /// Watches a neighbour, and again after every break, until the task is cancelled.
    private func follow(_ name: String, _ client: HealthV1.HealthClient, region: NeighbourRegion) async {
        var backoff = Backoff(longest: .seconds(1))
        while !Task.isCancelled {
            let hasServed = await withTaskGroup(of: Bool.self) { group in
                group.addTask { await watch(name, client, region) }
                group.addTask { await ask(client) }
                let served = await group.next() ?? false
                group.cancelAll()
                return await group.reduce(served) { $0 || $1 }
            }
            say(false, of: name)
            if hasServed { backoff.reset() }
            do { try await Task.sleep(for: backoff.wait(random: .random(in: 0...1))) } catch { return }
        }
    }

    /// Follows what a neighbour says, until that ends for whatever reason.
    /// - Returns: whether it said anything.
    private func watch(_ name: String, _ client: HealthV1.HealthClient, _ region: NeighbourRegion) async -> Bool {
        var hasAnswered = false
        do {
            for try await answer in client.watch(.init(), options: CallOptions(waitForReady: true)) {
                hasAnswered = true
                guard !Task.isCancelled else { break }
                say(answer.status == .serving, of: name)
                if answer.status == .serving, let declared = await region.ask() { regions.note(declared, of: name) }
            }
        } catch {
            // It is tried again.
        }
        return hasAnswered
    }

    /// Asks a neighbour again and again.
    /// - Returns: false, when an answer has not come in time.
    private func ask(_ client: HealthV1.HealthClient) async -> Bool {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: pause)
                _ = try await client.check(.init(), options: CallOptions(timeout: limit, waitForReady: true))
            } catch {
                return false
            }
        }
        return false
    }

    private func say(_ isServing: Bool, of name: String) {
        onChange(name, isServing)
        let services = Set(Forwarding.services.filter { $0.name == name }.flatMap { $0.methods.map(\.service) })
        for service in services.union(services.map(ServiceName.package(of:))) {
            health.set(isServing, service: service)
        }
    }
}

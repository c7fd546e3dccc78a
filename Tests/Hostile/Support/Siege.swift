import Foundation
import Logging
import NIOPosix
import RPC
import TestProcesses
import Testing

/// The suites of attacks, one after the other: each has the machine to itself.
@Suite("Attacks, while another client makes its calls", .serialized, .timeLimit(.minutes(2)))
struct Hostile {}

/// What an attack may cost, and how it is made.
struct Attack: Sendable {
    var name: String
    /// Settings of the victim that differ from its defaults, as `NAME=VALUE`.
    var settings: [String] = []
    /// How much more memory than before it the victim may ever hold, in MiB.
    var memoryBound = 16
    /// By how much more than usual (``VictimProcess/slowest``) it may hold up other calls.
    var delayFactor = 1
    /// How many threads attack at once.
    var attackers = 1
    /// How long it goes on; more with HOSTILE_MILLISECONDS in the environment, for figures.
    var duration = Duration.milliseconds(
        ProcessInfo.processInfo.environment["HOSTILE_MILLISECONDS"].flatMap { Int($0) }
            ?? (Instrumentation.isOn ? 2000 : 500))
}

/// Megabytes, for people.
private func megabytes(_ bytes: Int) -> String {
    String(format: "%+.1f MB", Double(bytes) / 1_048_576)
}

private func milliseconds(_ duration: Duration) -> String {
    String(format: "%.2f", duration / .milliseconds(1))
}

/// Starts a victim, has a well-behaved client call it before, during and after the attack, and holds what became of
/// both against what was promised: every call answered, in time; memory within its bound, and given back.
///
/// - Returns: what the attacker saw, for the test to judge.
@discardableResult
func withstand(
    _ attack: Attack, sourceLocation: SourceLocation = #_sourceLocation,
    by method: @escaping @Sendable (Attacker) throws -> Void
) async throws -> AttackResult {
    let folder = try await VictimFolder(attack.settings)
    do {
        let result = try await besiege(folder.victim, attack, sourceLocation, method)
        try await folder.remove()
        return result
    } catch {
        try await folder.remove()
        throw error
    }
}

/// Attacks with the same frames on ever new streams, on connection after connection: each lasts until the server ends it.
@discardableResult
func withstand(
    _ attack: Attack, sourceLocation: SourceLocation = #_sourceLocation, flood rounds: Rounds
) async throws -> AttackResult {
    try await withstand(attack, sourceLocation: sourceLocation) { attacker in
        try attacker.repeatedly { connection in
            attacker.open(connection)
            attacker.flood(connection, rounds)
        }
    }
}

private let bystanderGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

private func besiege(
    _ victim: VictimProcess, _ attack: Attack, _ sourceLocation: SourceLocation,
    _ method: @escaping @Sendable (Attacker) throws -> Void
) async throws -> AttackResult {
    let bystander = Bystander(victim.path, group: bystanderGroup)
    async let calling: Void = bystander.run()
    defer { bystander.finish() }
    // The first calls make the connection and warm the caches.
    try await eventually("the first calls") { bystander.count(.before) >= 100 }
    let before = victim.memory
    try victim.resetPeak()
    bystander.enter(.during)
    let result = try await withThrowingTaskGroup(of: AttackResult.self) { group in
        for _ in 0..<attack.attackers {
            group.addTask { try await Attacker.run(victim.path, for: attack.duration, method) }
        }
        return try await group.reduce(AttackResult(), +)
    }
    bystander.enter(.after)
    let growth = victim.peakMemory - before
    try await eventually("calls after the attack") { bystander.count(.after) >= 40 }
    let settled = try await settledMemory(victim) - before
    bystander.finish()
    await calling

    let outcome = Outcome(bystander: bystander, growth: growth, settled: settled, result: result)
    print(outcome.line(attack))
    outcome.check(attack, sourceLocation)
    #expect(victim.child.isRunning, "the victim is still there", sourceLocation: sourceLocation)
    return result
}

/// What the victim holds when handlers and connections have come to their ends, as a caller finds who comes then.
private func settledMemory(_ victim: VictimProcess) async throws -> Int {
    let channel = RPCChannel(
        socketPath: victim.path, name: "victim", group: bystanderGroup,
        logger: Logger(label: "caller") { _ in SwiftLogNoOpLogHandler() })
    let options = CallOptions(timeout: .seconds(5), waitForReady: true)
    var memory = victim.memory
    try? await eventually("memory goes back", within: .seconds(3)) {
        let _: Bystander.Text = try await channel.unary(.victim("Trim"), Bystander.Text(), options: options)
        memory = min(memory, victim.memory)
        let held: Bystander.Text = try await channel.unary(.victim("Held"), Bystander.Text(), options: options)
        return held.service == "0"
    }
    await channel.close()
    return memory
}

/// What was measured during one attack.
private struct Outcome {
    var bystander: Bystander
    var growth: Int
    var settled: Int
    var result: AttackResult

    func line(_ attack: Attack) -> String {
        func over(_ perMille: Int) -> String {
            Bystander.Phase.allCases.map { milliseconds(bystander.latency(perMille, $0)) }.joined(separator: " → ")
        }
        var line =
            "attack | \(attack.name): median \(over(500)) ms, p99 \(over(990)) ms, "
            + "memory \(megabytes(growth)), then \(megabytes(settled)) (bound \(attack.memoryBound) MB); "
            + "\(result.connections) connections, \(result.closed) closed by the server"
        if result.longest > 0 { line += " after \(result.longest)" }
        line += ", \(result.sent) sent"
        if !result.resets.isEmpty { line += ", resets \(result.resets)" }
        if !result.goAways.isEmpty { line += ", GOAWAY \(result.goAways.sorted())" }
        return line
    }

    func check(_ attack: Attack, _ sourceLocation: SourceLocation) {
        #expect(bystander.failures == [], sourceLocation: sourceLocation)
        #expect(bystander.count(.during) >= 3, sourceLocation: sourceLocation)
        if Instrumentation.isOn { return }
        // Generous: the machine may be busy with other things than this test.
        let limit = max(bystander.latency(990, .before) * 20, VictimProcess.slowest * attack.delayFactor)
        for phase in [Bystander.Phase.during, .after] {
            #expect(bystander.latency(990, phase) <= limit, "p99 \(phase)", sourceLocation: sourceLocation)
        }
        let bound = attack.memoryBound * 1_048_576
        #expect(growth <= bound, "memory at its peak", sourceLocation: sourceLocation)
        // What it has grown to for good: tables, caches of the allocator, code that was read in.
        #expect(settled <= 10 * 1_048_576, "memory afterwards", sourceLocation: sourceLocation)
    }
}

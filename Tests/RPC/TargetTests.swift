import Testing

@testable import RPC

@Suite("Targets")
struct TargetTests {
    @Test(
        "a target is a path or an abstract name",
        arguments: [
            ("unix:/run/a.sock", RPCTarget.path("/run/a.sock")), ("unix:relative/a.sock", .path("relative/a.sock")),
            ("unix:///run/a.sock", .path("/run/a.sock")), ("unix:/odd%20name", .path("/odd%20name")),
            ("unix-abstract:chat", .abstract("chat")),
            ("unix:" + String(repeating: "p", count: 107), .path(String(repeating: "p", count: 107))),
        ])
    func parses(text: String, expected: RPCTarget) throws {
        let target = try RPCTarget(text)
        #expect(target == expected)
        #expect(try RPCTarget(target.description) == target)
    }

    @Test(
        "anything else is refused with the reason",
        arguments: [
            ("", "is neither unix:PATH nor unix-abstract:NAME"), ("/run/a.sock", "is neither"),
            ("dns:///host", "is neither"), ("UNIX:/a", "is neither"), ("unix:", "has no path"),
            ("unix-abstract:", "has no name"), ("unix://host/a.sock", "has an authority"),
            ("unix://", "has an authority"),
            ("unix:" + String(repeating: "p", count: 108), "has a path of more than 107 bytes"),
            ("unix-abstract:" + String(repeating: "é", count: 54), "has a name of more than 107 bytes"),
            ("unix:/a\0b", "has a NUL in its path"), ("unix-abstract:\0", "has a NUL in its name"),
        ])
    func refuses(text: String, reason: String) throws {
        let error = try #require(throws: RPCTarget.Malformed.self) { try RPCTarget(text) }
        #expect(error.reason.hasPrefix(reason))
    }
}

/// Stands for a connection.
private final class Token: Sendable {}

@Suite("Which target a call goes to")
struct TargetStatesTests {
    private typealias States = TargetStates<Token>

    private let start = ContinuousClock.now
    private let tokens = [Token(), Token(), Token()]

    private func states(_ policy: PickPolicy, checksHealth: Bool = false) -> States {
        States(["unix:a", "unix:b", "unix:c"], policy: policy, checksHealth: checksHealth)
    }

    /// What a pick says: the target's number, `wait 0 1` or `refuse unreachable`.
    private func pick(_ states: inout States, key: String? = nil, after: Duration = .zero) -> String {
        switch states.pick(key: key, at: start.advanced(by: after)) {
        case .use(let token): return tokens.firstIndex { $0 === token }.map(String.init) ?? "unknown"
        case .wait(let wanted): return (["wait"] + wanted.map(String.init)).joined(separator: " ")
        case .refuse(let refusal): return "refuse \(refusal)"
        }
    }

    private func up(_ states: inout States, _ indices: Int..., after: Duration = .zero) {
        for index in indices { states.connected(index, tokens[index], at: start.advanced(by: after)) }
    }

    @Test("pick-first tries the targets in order and stays with the first that is there")
    func picksFirst() {
        var states = states(.pickFirst)
        expectEqual(pick(&states), "wait 0")
        expectEqual(pick(&states), "wait")
        states.failed(0)
        expectEqual(pick(&states), "wait 1")
        up(&states, 1)
        expectEqual(pick(&states), "1")
        expectEqual(states.others(), [])
        // The first is up again: not at once.
        up(&states, 0, after: .seconds(5))
        expectEqual(pick(&states, after: .seconds(5.9)), "1")
        expectEqual(pick(&states, after: .seconds(6)), "0")
        expectEqual(states.lost(0, tokens[0], wasIdle: false), true)
        expectEqual(pick(&states, after: .seconds(6)), "wait")
        states.failed(0)
        expectEqual(pick(&states, after: .seconds(6)), "1")
    }

    @Test("pick-first goes to the first that is up when the one it was at is gone, however new")
    func picksFirstAfterLoss() {
        var states = states(.pickFirst)
        _ = pick(&states)
        states.failed(0)
        _ = pick(&states)
        up(&states, 1)
        expectEqual(pick(&states), "1")
        up(&states, 0)
        _ = states.lost(1, tokens[1], wasIdle: false)
        expectEqual(pick(&states), "0")
    }

    @Test("round robin takes turns among those that are there, and waits only when none is")
    func takesTurns() {
        var states = states(.roundRobin)
        expectEqual(pick(&states), "wait 0 1 2")
        up(&states, 1)
        expectEqual(pick(&states), "1")
        up(&states, 0, 2)
        expectEqual((0..<6).map { _ in pick(&states) }, ["2", "0", "1", "2", "0", "1"])
        expectEqual(states.lost(0, tokens[0], wasIdle: false), true)
        expectEqual((0..<4).map { _ in pick(&states) }, ["2", "1", "2", "1"])
        for index in 1..<3 { _ = states.lost(index, tokens[index], wasIdle: false) }
        expectEqual(pick(&states), "wait")
        states.failed(0)
        states.failed(1)
        expectEqual(pick(&states), "wait")
        states.failed(2)
        expectEqual(pick(&states), "refuse unreachable")
    }

    @Test("a key always goes to the same target, to its next one while that is away, and the other keys stay")
    func goesByKey() {
        var states = states(.byKey)
        up(&states, 0, 1, 2)
        let keys = (0..<300).map { "session-\($0)" }
        let before = keys.map { pick(&states, key: $0) }
        expectEqual(keys.map { pick(&states, key: $0) }, before)
        for index in 0..<3 {
            // About a hundred each; far fewer would be a hash that is none.
            #expect(before.count { $0 == String(index) } > 60)
        }
        _ = states.lost(1, tokens[1], wasIdle: false)
        states.failed(1)
        let during = keys.map { pick(&states, key: $0) }
        for (old, new) in zip(before, during) { #expect(old == "1" ? new != "1" : new == old) }
        let moved = zip(before, during).filter { $0.0 == "1" }.map(\.1)
        #expect(Set(moved) == ["0", "2"])
        up(&states, 1)
        expectEqual(keys.map { pick(&states, key: $0) }, before)
        // Without a key, in turn.
        #expect(Set((0..<3).map { _ in pick(&states) }) == ["0", "1", "2"])
    }

    @Test("the order of the targets makes no difference to keys, nor does the process")
    func hashesStably() {
        var states = States(["unix:c", "unix:a", "unix:b"], policy: .byKey, checksHealth: false)
        up(&states, 0, 1, 2)
        var others = self.states(.byKey)
        up(&others, 0, 1, 2)
        for key in (0..<100).map({ "session-\($0)" }) {
            // The same names at places one further.
            let place = Int(pick(&states, key: key)) ?? -1
            expectEqual(pick(&others, key: key), String((place + 2) % 3))
        }
        #expect(StableHash().adding("unix:a").adding("session-1").value == 17_299_353_306_531_386_810)
    }

    @Test("a key waits for its own target while that may still turn out to be there")
    func waitsForOwnTarget() {
        var states = states(.byKey)
        up(&states, 0, 1)
        let own = (0..<100).map { "session-\($0)" }.first { pick(&states, key: $0).hasPrefix("wait") }
        let key = own ?? ""
        #expect(own != nil)
        expectEqual(states.others(), [])
        states.failed(2)
        #expect(["0", "1"].contains(pick(&states, key: key)))
    }

    @Test("a target that is long in coming is passed over while there are others, and waited for with nothing better")
    func passesOver() {
        var states = states(.pickFirst)
        expectEqual(pick(&states), "wait 0")
        states.tookLong(0)
        expectEqual(pick(&states), "wait 1")
        up(&states, 1)
        expectEqual(pick(&states), "1")
        expectEqual(states.lost(1, tokens[1], wasIdle: false), true)
        states.failed(1)
        expectEqual(pick(&states), "wait 2")
        states.failed(2)
        expectEqual(pick(&states), "wait")
        up(&states, 0)
        expectEqual(pick(&states), "0")
        // It was good; the next time it is waited for again.
        up(&states, 1)
        _ = states.lost(0, tokens[0], wasIdle: false)
        expectEqual(pick(&states), "wait")
        states.tookLong(0)
        expectEqual(pick(&states), "1")
    }

    @Test("a key goes to its next target while its own is long in coming, and back when it has come")
    func passesOverByKey() {
        var states = states(.byKey)
        up(&states, 0, 1, 2)
        let key = (0..<100).map { "session-\($0)" }.first { pick(&states, key: $0) == "2" } ?? ""
        _ = states.lost(2, tokens[2], wasIdle: false)
        expectEqual(pick(&states, key: key), "wait")
        states.tookLong(2)
        #expect(["0", "1"].contains(pick(&states, key: key)))
        up(&states, 2)
        expectEqual(pick(&states, key: key), "2")
        // That it was late is said too late.
        states.tookLong(2)
        expectEqual(pick(&states, key: key), "2")
    }

    @Test("a target that is long in saying whether it serves is passed over too")
    func passesOverSilentHealth() {
        var states = states(.pickFirst, checksHealth: true)
        _ = pick(&states)
        up(&states, 0)
        expectEqual(pick(&states), "wait")
        states.tookLong(0, tokens[0])
        expectEqual(pick(&states), "wait 1")
        states.failed(1)
        _ = pick(&states)
        states.failed(2)
        expectEqual(pick(&states), "wait")
        states.reported(0, tokens[0], isServing: true, at: start)
        expectEqual(pick(&states), "0")
    }

    @Test("that an earlier connection was long in saying whether it serves counts no more")
    func forgetsSilentHealth() {
        var states = states(.pickFirst, checksHealth: true)
        _ = pick(&states)
        up(&states, 0)
        expectEqual(states.lost(0, tokens[0], wasIdle: false), true)
        states.tookLong(0, tokens[0])
        expectEqual(pick(&states), "wait")
        states.connected(0, tokens[1], at: start)
        states.tookLong(0, tokens[0])
        expectEqual(pick(&states), "wait")
        states.tookLong(0, tokens[1])
        expectEqual(pick(&states), "wait 1")
    }

    @Test("a target that doesn't serve gets nothing while another does, and none is told apart from none reached")
    func minds() {
        var states = states(.pickFirst, checksHealth: true)
        expectEqual(pick(&states), "wait 0")
        up(&states, 0)
        expectEqual(pick(&states), "wait")
        states.reported(0, tokens[0], isServing: false, at: start)
        expectEqual(pick(&states), "wait 1")
        up(&states, 1)
        states.reported(1, tokens[1], isServing: true, at: start)
        expectEqual(pick(&states), "1")
        // What an earlier connection said counts no more.
        states.reported(0, tokens[2], isServing: true, at: start)
        expectEqual(pick(&states, after: .seconds(9)), "1")
        states.reported(1, tokens[1], isServing: false, at: start)
        expectEqual(pick(&states), "wait 2")
        states.failed(2)
        expectEqual(pick(&states), "refuse notServing")
        states.reported(0, tokens[0], isServing: true, at: start)
        expectEqual(pick(&states), "0")
    }

    @Test("a connection that went for want of calls is made again when there is one, and not before")
    func forgetsIdle() {
        var states = states(.roundRobin)
        _ = pick(&states)
        up(&states, 0, 1, 2)
        expectEqual(states.lost(0, tokens[1], wasIdle: true), false)
        expectEqual(states.lost(0, tokens[0], wasIdle: true), false)
        #expect(["1", "2"].contains(pick(&states)))
        expectEqual(states.others(), [0])
        expectEqual(states.others(), [])
    }

    @Test("pick-first has an earlier target that went for want of calls connected to while it is at a later one")
    func returnsToIdle() {
        var states = states(.pickFirst)
        _ = pick(&states)
        states.failed(0)
        _ = pick(&states)
        up(&states, 1)
        expectEqual(pick(&states), "1")
        up(&states, 0)
        expectEqual(states.lost(0, tokens[0], wasIdle: true), false)
        expectEqual(pick(&states), "1")
        expectEqual(states.others(), [0])
        expectEqual(states.others(), [])
    }
}

/// What a channel of several targets knows of each, and which of them a call goes to. Free of I/O.
struct TargetStates<Connection: AnyObject & Sendable> {
    enum Phase {
        /// Not wanted so far, or no longer.
        case idle
        /// Wanted; not known whether it can be reached.
        case connecting
        case ready(Connection, since: ContinuousClock.Instant)
        /// It could not be reached; it is tried again from time to time.
        case down
    }

    /// Whether a target that is ready says that it serves.
    enum Health {
        case unknown
        case serving
        case notServing
    }

    enum Pick {
        case use(Connection)
        /// Not decided before these have been connected to, or others that are being connected to.
        case wait(connecting: [Int])
        case refuse(Refusal)
    }

    enum Refusal {
        case unreachable
        case notServing
    }

    private struct Target {
        let seed: StableHash
        var phase = Phase.idle
        var health: Health
        /// It has failed, or takes long: calls don't wait for it while there are others.
        var isDoubtful = false
    }

    /// How long calls wait for a target before they try others as well.
    static var patience: Duration { .milliseconds(250) }
    /// How long an earlier target has to be up before pick-first goes back to it.
    static var returnDelay: Duration { .seconds(1) }

    let policy: PickPolicy
    private let initialHealth: Health
    private var targets: [Target]
    /// Where pick-first is.
    private var current: Int?
    /// Whose turn it is to be asked first.
    private var turn = 0

    init(_ names: [String], policy: PickPolicy, checksHealth: Bool) {
        self.policy = policy
        initialHealth = checksHealth ? .unknown : .serving
        targets = names.map { [initialHealth] in Target(seed: StableHash().adding($0), health: initialHealth) }
    }

    /// Where a call goes.
    mutating func pick(key: String?, at now: @autoclosure () -> ContinuousClock.Instant) -> Pick {
        switch (policy, key) {
        case (.pickFirst, _): return pickFirst(at: now())
        case (.byKey, let key?): return pickByKey(key)
        case (.byKey, nil), (.roundRobin, _): return pickInTurn()
        }
    }

    private mutating func pickFirst(at now: ContinuousClock.Instant) -> Pick {
        guard let current, let connection = usable(current) else {
            let first = targets.indices.first(where: isPossible)
            current = first
            return decide(for: first)
        }
        for earlier in 0..<current {
            guard case .ready(let connection, let since) = targets[earlier].phase, usable(earlier) != nil,
                since.advanced(by: TargetStates.returnDelay) <= now
            else { continue }
            self.current = earlier
            return .use(connection)
        }
        return .use(connection)
    }

    private mutating func pickByKey(_ key: String) -> Pick {
        var best: Int?
        var most: UInt64 = 0
        for index in targets.indices where isPossible(index) {
            let weight = targets[index].seed.adding(key).value
            if best == nil || weight > most {
                best = index
                most = weight
            }
        }
        return decide(for: best)
    }

    private mutating func pickInTurn() -> Pick {
        for offset in targets.indices {
            let index = (turn + offset) % targets.count
            guard let connection = usable(index) else { continue }
            turn = (index + 1) % targets.count
            return .use(connection)
        }
        guard targets.indices.contains(where: isUndecided) else { return .refuse(refusal) }
        return .wait(connecting: begin(Array(targets.indices)))
    }

    private mutating func decide(for index: Int?) -> Pick {
        // With nothing better, the doubtful are waited for.
        guard let index = index ?? targets.indices.first(where: isUndecided) else { return .refuse(refusal) }
        return usable(index).map { .use($0) } ?? .wait(connecting: begin([index]))
    }

    private func usable(_ index: Int) -> Connection? {
        guard case .ready(let connection, _) = targets[index].phase, targets[index].health == .serving else {
            return nil
        }
        return connection
    }

    /// Whether it can be used, or may soon turn out to be.
    private func isPossible(_ index: Int) -> Bool {
        isUndecided(index) ? !targets[index].isDoubtful : usable(index) != nil
    }

    /// Whether it may yet turn out either way.
    private func isUndecided(_ index: Int) -> Bool {
        switch targets[index].phase {
        case .idle, .connecting: true
        case .ready: targets[index].health == .unknown
        case .down: false
        }
    }

    /// How many are connected to.
    var readyCount: Int {
        targets.count {
            if case .ready = $0.phase { true } else { false }
        }
    }

    var refusal: Refusal { readyCount > 0 ? .notServing : .unreachable }

    /// Those of the targets that are to be connected to now.
    private mutating func begin(_ wanted: [Int]) -> [Int] {
        wanted.filter { index in
            guard case .idle = targets[index].phase else { return false }
            targets[index].phase = .connecting
            targets[index].isDoubtful = false
            return true
        }
    }
}

// MARK: - What happens to targets

extension TargetStates {
    /// Targets that calls may go to as well, to be connected to meanwhile: all, but for pick-first, which would rather be
    /// at an earlier one and has no use for a later.
    mutating func others() -> [Int] {
        let wanted = policy == .pickFirst ? 0..<(current ?? 0) : targets.indices
        let isIdle = { (target: Target) in
            if case .idle = target.phase { true } else { false }
        }
        guard targets[wanted].contains(where: isIdle) else { return [] }
        return begin(Array(wanted))
    }

    mutating func connected(_ index: Int, _ connection: Connection, at now: ContinuousClock.Instant) {
        targets[index].phase = .ready(connection, since: now)
        targets[index].health = initialHealth
    }

    /// The target has not been connected to within the time of ``patience``, unless it has.
    mutating func tookLong(_ index: Int) {
        if case .connecting = targets[index].phase { targets[index].isDoubtful = true }
    }

    /// The server has not said on that connection within the time of ``patience`` whether it serves, unless it has.
    mutating func tookLong(_ index: Int, _ connection: Connection) {
        guard case .ready(let known, _) = targets[index].phase, known === connection else { return }
        if isUndecided(index) { targets[index].isDoubtful = true }
    }

    mutating func failed(_ index: Int) {
        if case .ready = targets[index].phase { return }
        targets[index].phase = .down
        targets[index].isDoubtful = true
    }

    /// The connection takes no more calls; true when it is to be made again at once.
    mutating func lost(_ index: Int, _ connection: Connection, wasIdle: Bool) -> Bool {
        guard case .ready(let known, _) = targets[index].phase, known === connection else { return false }
        targets[index].isDoubtful = false
        targets[index].phase = wasIdle ? .idle : .connecting
        return !wasIdle
    }

    /// The server says whether it serves, on that connection.
    mutating func reported(
        _ index: Int, _ connection: Connection, isServing: Bool, at now: ContinuousClock.Instant
    ) {
        guard case .ready(let known, _) = targets[index].phase, known === connection else { return }
        let health: Health = isServing ? .serving : .notServing
        guard targets[index].health != health else { return }
        targets[index].health = health
        targets[index].phase = .ready(connection, since: now)
    }
}

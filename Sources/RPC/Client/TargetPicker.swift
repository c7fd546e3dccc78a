internal import NIOCore
internal import Synchronization

/// Sends the calls of a channel to one of its targets: to each a connection of its own, watched for its health where
/// that is wanted.
final class TargetPicker: Sendable {
    private struct State {
        var targets: TargetStates<ClientConnection>
        var waiting = WaitingLine()
        var isClosed = false
    }

    /// What is to be done once the state is let go of.
    private struct Consequences {
        var resumed: [(ConnectionWaiter, Result<ClientConnection, RPCError>)] = []
        var connecting: [Int] = []
    }

    private let subchannels: [Subchannel]
    private let common: Subchannel.Common
    /// The service whose health is watched; nil: none.
    private let watched: String?
    private let state: Mutex<State>

    init(_ subchannels: [Subchannel], policy: PickPolicy, watching service: String?, _ common: Subchannel.Common) {
        self.subchannels = subchannels
        self.common = common
        watched = service
        state = Mutex(
            State(
                targets: TargetStates(
                    subchannels.map(\.target.description), policy: policy, checksHealth: service != nil)))
        for (index, subchannel) in subchannels.enumerated() {
            subchannel.onLoss { [weak self] connection, wasIdle in self?.lost(index, connection, wasIdle: wasIdle) }
        }
    }

    /// How many targets are connected to.
    var readyTargets: Int { state.withLock { $0.targets.readyCount } }

    /// The connection for a call that can be made at once.
    func ready(for options: CallOptions) -> ClientConnection? {
        let (pick, others) = state.withLock { state -> (TargetStates<ClientConnection>.Pick, [Int]) in
            if state.isClosed { return (.refuse(.unreachable), []) }
            let pick = state.targets.pick(key: options.routingKey, at: .now)
            if case .use = pick { return (pick, state.targets.others()) }
            return (pick, [])
        }
        guard case .use(let connection) = pick else {
            if case .wait(let wanted) = pick { connect(wanted) }
            return nil
        }
        if !others.isEmpty { connect(others) }
        return connection
    }

    /// Resumes the waiter with a connection for its call.
    func want(_ waiter: ConnectionWaiter) {
        let consequences = state.withLock { state in
            var consequences = Consequences()
            if let result = decide(waiter, &state, &consequences) {
                consequences.resumed.append((waiter, result))
            } else if state.waiting.count < common.limits.maxWaitingCalls {
                state.waiting.append(waiter)
            } else {
                let error = RPCError(.resourceExhausted, "too many calls wait for \(common.name)")
                consequences.resumed.append((waiter, .failure(error)))
            }
            return consequences
        }
        carryOut(consequences)
    }

    /// The waiter is told that, unless it has a connection by now.
    func giveUp(_ key: WaitKey, _ error: RPCError) {
        state.withLock { $0.waiting.remove(key) }?.resume(.failure(error))
    }

    func close() async {
        let waiting = state.withLock { state in
            state.isClosed = true
            return state.waiting.takeAll()
        }
        for waiter in waiting { waiter.resume(.failure(common.unreachable)) }
        for subchannel in subchannels { subchannel.shut() }
        for subchannel in subchannels { await subchannel.close() }
    }
}

// MARK: - What happens to targets

extension TargetPicker {
    private func connect(_ wanted: [Int]) {
        for index in wanted { connect(index, patiently: false) }
    }

    /// Has a target connected to. Impatiently, a failure is heard of at once, and so is that it takes long; then it
    /// goes on in the background.
    private func connect(_ index: Int, patiently: Bool) {
        let waiter = ConnectionWaiter(
            waitsForReady: patiently,
            .function { [weak self] result in
                self?.connected(index, result, patiently: patiently)
            }, timer: patiently ? nil : doubtLater { $0.tookLong(index) })
        subchannels[index].want(waiter)
    }

    /// Has calls go elsewhere when the target is long in coming, or in saying whether it serves.
    @discardableResult
    private func doubtLater(
        _ tookLong: @escaping @Sendable (inout TargetStates<ClientConnection>) -> Void
    ) -> Scheduled<Void> {
        common.group.any().scheduleTask(in: TimeAmount(TargetStates<ClientConnection>.patience)) { [weak self] in
            self?.change { tookLong(&$0.targets) }
        }
    }

    private func connected(_ index: Int, _ result: Result<ClientConnection, RPCError>, patiently: Bool) {
        change { state in
            switch result {
            case .success(let connection): state.targets.connected(index, connection, at: .now)
            case .failure: state.targets.failed(index)
            }
        }
        switch result {
        case .success(let connection): watch(index, connection)
        // The patient only fail for good.
        case .failure where !patiently: connect(index, patiently: true)
        case .failure: break
        }
    }

    private func lost(_ index: Int, _ connection: ClientConnection, wasIdle: Bool) {
        var isWanted = false
        change { isWanted = $0.targets.lost(index, connection, wasIdle: wasIdle) && !$0.isClosed }
        if isWanted { connect(index, patiently: false) }
    }

    private func watch(_ index: Int, _ connection: ClientConnection) {
        guard let watched else { return }
        let watch = HealthWatch(connection, service: watched) { [weak self] isServing in
            self?.change { $0.targets.reported(index, connection, isServing: isServing, at: .now) }
        }
        watch.start()
        // The connection may be lost before, and the next one has all of its own time.
        doubtLater { $0.tookLong(index, connection) }
    }

    private func change(_ change: (inout State) -> Void) {
        let consequences = state.withLock { state in
            change(&state)
            return settle(&state)
        }
        carryOut(consequences)
    }

    /// Decides for the calls that wait what can be decided now that a target has changed.
    private func settle(_ state: inout State) -> Consequences {
        var consequences = Consequences()
        for waiter in state.waiting.inOrder {
            guard let result = decide(waiter, &state, &consequences) else { continue }
            state.waiting.remove(waiter.key)
            consequences.resumed.append((waiter, result))
        }
        return consequences
    }

    /// What the waiter is told; nil when it has to wait.
    private func decide(
        _ waiter: ConnectionWaiter, _ state: inout State, _ consequences: inout Consequences
    ) -> Result<ClientConnection, RPCError>? {
        if state.isClosed { return .failure(common.unreachable) }
        switch state.targets.pick(key: waiter.routingKey, at: .now) {
        case .use(let connection): return .success(connection)
        case .wait(let wanted):
            consequences.connecting += wanted
            return nil
        case .refuse where waiter.waitsForReady: return nil
        case .refuse(let refusal): return .failure(error(refusal))
        }
    }

    /// What a call is told that has waited long enough.
    var refusal: RPCError { error(state.withLock { $0.targets.refusal }) }

    private func error(_ refusal: TargetStates<ClientConnection>.Refusal) -> RPCError {
        switch refusal {
        case .unreachable: common.unreachable
        case .notServing: RPCError(.unavailable, "\(common.name) is not serving", reason: "NEIGHBOUR_NOT_SERVING")
        }
    }

    private func carryOut(_ consequences: Consequences) {
        for (waiter, result) in consequences.resumed { waiter.resume(result) }
        connect(consequences.connecting)
    }
}

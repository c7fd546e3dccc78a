internal import NIOCore
internal import Synchronization

/// The open connections of a server, and a way to wait for the last one.
final class ConnectionRegistry: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        var byProcess: [Int32: Int] = [:]
        var isDraining = false
        /// Calls of connections that are no longer here.
        var callsStarted = 0
        var waiters: [EventLoopPromise<Void>] = []
    }

    private let state = Mutex(State())

    enum Insertion {
        case inserted
        /// There are as many as there may be.
        case full
        /// Its process has as many as one may.
        case fullForProcess
        /// The server is on its way down.
        case draining
    }

    func insert(_ connection: ServerConnection, limit: Int, ofProcess processLimit: Int) -> Insertion {
        let process = connection.peer.pid
        return state.withLock { state in
            if state.isDraining { return .draining }
            guard state.connections.count < limit else { return .full }
            guard state.byProcess[process, default: 0] < processLimit else { return .fullForProcess }
            state.byProcess[process, default: 0] += 1
            state.connections[ObjectIdentifier(connection)] = connection
            return .inserted
        }
    }

    /// Adds what connections know to the server's statistics.
    func complete(_ statistics: inout ServerStatistics) {
        let counted = state.withLock { state in
            var counted = (connections: state.connections.count, running: 0, started: state.callsStarted)
            for connection in state.connections.values {
                counted.running += connection.calls.running
                counted.started += connection.calls.started
            }
            return counted
        }
        statistics.openConnections = counted.connections
        statistics.openCalls = counted.running
        statistics.callsStarted = counted.started
    }

    func remove(_ connection: ServerConnection) {
        let waiters = state.withLock { state -> [EventLoopPromise<Void>] in
            if state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil {
                state.callsStarted += connection.calls.started
                let left = state.byProcess[connection.peer.pid, default: 1] - 1
                state.byProcess[connection.peer.pid] = left > 0 ? left : nil
            }
            guard state.connections.isEmpty else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.succeed() }
    }

    /// Lets no more in, and says which are open.
    func drain() -> [ServerConnection] {
        state.withLock { state in
            state.isDraining = true
            return Array(state.connections.values)
        }
    }

    /// Returns when no connection is open, or after `timeout`.
    func waitUntilEmpty(for timeout: Duration, on eventLoop: any EventLoop) async {
        let promise = eventLoop.makePromise(of: Void.self)
        let isEmpty = state.withLock { state in
            if !state.connections.isEmpty { state.waiters.append(promise) }
            return state.connections.isEmpty
        }
        if isEmpty { promise.succeed() }
        // A promise that is succeeded twice keeps its first outcome.
        let timer = eventLoop.scheduleTask(in: TimeAmount(timeout)) { self.giveUp(promise) }
        _ = try? await promise.futureResult.get()
        timer.cancel()
    }

    private func giveUp(_ promise: EventLoopPromise<Void>) {
        let wasWaiting = state.withLock { state in
            let before = state.waiters.count
            state.waiters.removeAll { $0.futureResult === promise.futureResult }
            return state.waiters.count != before
        }
        if wasWaiting { promise.succeed() }
    }
}

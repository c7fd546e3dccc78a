internal import GatewayCore
internal import Logging
internal import NIOCore
internal import RPC
internal import ServiceKit
internal import Synchronization

/// The open connections: who may have one more, and which one gives way to it.
final class ConnectionLedger: Sendable {
    private struct State {
        var places: ConnectionPlaces
        var channels: [ConnectionPlaces.ID: any Channel] = [:]
    }

    private let state: Mutex<State>
    private let addresses: ClientAddresses
    private let statistics: GatewayStatistics
    private let logger: Logger
    private let logLimit = LogLimit()

    init(configuration: GatewayConfiguration, statistics: GatewayStatistics, logger: Logger) {
        state = Mutex(
            State(
                places: ConnectionPlaces(
                    maximum: configuration.maximumConnections,
                    maximumPerClient: configuration.maximumConnectionsPerClient,
                    maximumPerNetwork: configuration.maximumConnectionsPerNetwork, now: .now)))
        addresses = ClientAddresses(configuration)
        self.statistics = statistics
        self.logger = logger
    }

    enum Outcome {
        case admitted(ConnectionPlaces.ID)
        case refused(ConnectionPlaces.Bound)
    }

    /// Gives the connection a place, for which another may have to be closed.
    func admit(_ channel: any Channel) -> Outcome {
        let client = addresses.peer(of: channel)
        let (decision, closing) = state.withLock { state -> (ConnectionPlaces.Decision, (any Channel)?) in
            let decision = state.places.admit(client, now: .now)
            switch decision {
            case .admitted(let id): state.channels[id] = channel
            case .admittedFor(let id, closing: let other, _):
                state.channels[id] = channel
                return (decision, state.channels.removeValue(forKey: other))
            case .refused: break
            }
            return (decision, nil)
        }
        switch decision {
        case .admitted(let id):
            statistics.accepted()
            return .admitted(id)
        case .admittedFor(let id, closing: _, let bound):
            closing?.close(promise: nil)
            statistics.accepted()
            statistics.gaveWay(for: bound)
            log("connection gave way to a newer one", bound)
            return .admitted(id)
        case .refused(let bound):
            statistics.refused(for: bound)
            log("connection refused", bound)
            return .refused(bound)
        }
    }

    func becameIdle(_ id: ConnectionPlaces.ID) { state.withLock { $0.places.becomeIdle(id) } }

    func becameBusy(_ id: ConnectionPlaces.ID) { state.withLock { $0.places.becomeBusy(id) } }

    func left(_ id: ConnectionPlaces.ID) {
        let channel = state.withLock { state in
            state.places.leave(id)
            return state.channels.removeValue(forKey: id)
        }
        // Let go of outside the lock.
        _ = channel
    }

    /// Connections that have a place.
    var count: Int { state.withLock { $0.places.count } }

    private func log(_ message: Logger.Message, _ bound: ConnectionPlaces.Bound) {
        guard let omitted = logLimit.admits() else { return }
        var metadata: Logger.Metadata = [LogKey.bound: .string(bound.rawValue)]
        if omitted > 0 { metadata[LogKey.omittedBefore] = .stringConvertible(omitted) }
        logger.warning(message, metadata: metadata)
    }
}

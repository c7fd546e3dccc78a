internal import Contracts
public import Logging
public import NIOPosix
public import Privacy
public import RPC
internal import Synchronization

/// What a service is built from: handed to the one function that wires it up.
public struct ServiceEnvironment: Sendable {
    /// "chat".
    public let name: String
    /// The data folder of all services, as `--data` gives it.
    public let dataFolder: String
    /// Where that is, as the operator declares.
    public let region: Region
    /// The service's own folder in it, with mode 0700.
    public let ownFolder: String
    /// What is to be kept on the disk for erasing, in bytes.
    public let diskReserve: Int64
    public let logger: Logger
    /// The threads that connections live on.
    public let group: MultiThreadedEventLoopGroup
    /// Who may connect.
    public let peers: PeerRoles
    /// What its connections may take of the process's descriptors.
    public let descriptors = DescriptorBudget.current()
    /// Where the service counts what it does.
    public let metrics = MetricsRegistry()
    /// What the service answers who asks whether it serves.
    public let health = HealthService()

    private let neighbours: Neighbours

    init(settings: ServiceSettings, logger: Logger, group: MultiThreadedEventLoopGroup) {
        name = settings.name
        region = settings.region
        dataFolder = settings.folders.root
        ownFolder = settings.folders.own
        diskReserve = settings.diskReserve
        self.logger = logger
        self.group = group
        peers = settings.peers
        neighbours = Neighbours(folders: settings.folders, paths: settings.neighbours)
    }

    /// The path of a file of the service's own: `file("index.sqlite")`.
    public func file(_ name: String) -> String { "\(ownFolder)/\(name)" }

    /// The channel to another service, which need not be up: one connection for each purpose, shared by all who ask for
    /// it, closed by the runner. Calls on it say that they are made by a gateway, or by a service. Those that find it
    /// away wait for two seconds at most, since it may just be restarted.
    /// - Parameter purpose: a connection takes a bounded number of calls at a time, so what may take long, or be many, has
    ///   one of its own: "exports". Empty: for all short calls.
    public func channel(to neighbour: String, for purpose: String = "") -> RPCChannel {
        neighbours.channel(
            to: neighbour, for: purpose, role: name == "gateway" ? .gateway : .service, logger: logger, group: group)
    }

    /// Counts what is refused for these bounds among the service's metrics.
    public func refusals(of bounds: [String]) -> Refusals { Refusals(bounds, in: metrics, logger: logger) }

    func closeChannels() async { await neighbours.close() }
}

/// The channels that have been opened.
private final class Neighbours: Sendable {
    /// How long calls wait for a neighbour that is away: a restart takes a fraction of a second.
    private static let patience: Duration = .seconds(2)

    private let folders: DataFolders
    private let paths: [String: String]
    private let channels = Mutex<[Purpose: RPCChannel]>([:])

    private struct Purpose: Hashable {
        let neighbour: String
        let purpose: String
    }

    init(folders: DataFolders, paths: [String: String]) {
        self.folders = folders
        self.paths = paths
    }

    func channel(
        to name: String, for purpose: String, role: PeerRole, logger: Logger, group: MultiThreadedEventLoopGroup
    ) -> RPCChannel {
        let key = Purpose(neighbour: name, purpose: purpose)
        return channels.withLock { channels in
            if let channel = channels[key] { return channel }
            var limits = ClientLimits()
            limits.patience = Neighbours.patience
            let channel = RPCChannel(
                targets: [.path(paths[name] ?? folders.socket(of: name))], name: name, limits: limits,
                interceptors: InterceptorChain.client(role: role), group: group, logger: logger)
            channels[key] = channel
            return channel
        }
    }

    func close() async {
        let open = channels.withLock { channels in
            defer { channels = [:] }
            return Array(channels.values)
        }
        for channel in open { await channel.close() }
    }
}

internal import Foundation
internal import Logging
internal import NIOCore
internal import Privacy
internal import RPC

/// What `ServiceOptions`, the environment and the defaults come to.
struct ServiceSettings: Sendable {
    /// The longest path of a Unix socket: `sun_path` less its NUL.
    static let longestSocketPath = 107

    var name: String
    /// Where the folders are, as the operator declares.
    var region: Region
    var folders: DataFolders
    var socketPath: String
    var peers: PeerRoles
    /// Paths of sockets by the neighbour's name.
    var neighbours: [String: String]
    var logLevel: Logger.Level
    var threads: Int
    /// In bytes.
    var diskReserve: Int64
    /// The socket that the process was started with, which it then serves on in place of its own.
    var activated: ActivatedSockets.Socket?

    /// Where the server listens.
    var address: ServerAddress { activated.map { .inherited(descriptor: $0.descriptor) } ?? .path(socketPath) }
    /// What that is called in the log.
    var socketName: String {
        activated.map { $0.name.isEmpty ? "descriptor \($0.descriptor)" : $0.name } ?? socketPath
    }
    /// Where the service's metrics are written.
    var metricsPath: String { "\(folders.run)/\(name).prom" }

    /// - Parameters:
    ///   - name: "chat".
    ///   - environment: of the process.
    /// - Throws: `StartUpError` for the first setting that can't be used.
    init(
        name: String, options: ServiceOptions, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(StartUpError) {
        func variable(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
        func list(_ own: [String], _ key: String) -> [String] {
            own.isEmpty ? (variable(key) ?? "").split(separator: " ").map(String.init) : own
        }
        self.name = name
        region = try Self.region(options.region ?? variable("SAMTAL_REGION"))
        folders = DataFolders(root: options.data ?? variable("SAMTAL_DATA") ?? "./data", service: name)
        socketPath = options.socket ?? variable("SAMTAL_SOCKET") ?? folders.socket(of: name)
        try Self.check(socketPath: socketPath)

        let peerLines = list(options.peer, "SAMTAL_PEERS")
        peers = peerLines.isEmpty ? .ownUser() : try PeerRoles.parse(peerLines)
        neighbours = try Self.neighbours(list(options.neighbour, "SAMTAL_NEIGHBOURS"))
        logLevel = try Self.logLevel(options.logLevel ?? variable("SAMTAL_LOG_LEVEL") ?? "info")
        threads = try Self.threads(options.threads.map(String.init) ?? variable("SAMTAL_THREADS"))
        diskReserve = try Self.diskReserve(options.diskReserve.map(String.init) ?? variable("SAMTAL_DISK_RESERVE"))
    }

    /// There is no default: where personal data lies is to be said by whoever knows.
    private static func region(_ text: String?) throws(StartUpError) -> Region {
        let remedy =
            "say in which country of the EU or EEA the data folder is with --region or SAMTAL_REGION, such as se or "
            + "se-stockholm-1"
        guard let text else { throw StartUpError("no region is declared", remedy: remedy) }
        do throws(Region.Problem) {
            return try Region(text)
        } catch {
            throw StartUpError("the region \"\(printable(text))\" \(error)", remedy: remedy)
        }
    }

    /// One line, and no longer than a region.
    private static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(Region.maximumLength).map { scalar in
                (0x20..<0x7F).contains(scalar.value) ? Character(scalar) : "?"
            })
    }

    private static func check(socketPath: String) throws(StartUpError) {
        guard socketPath.utf8.count <= longestSocketPath else {
            throw StartUpError(
                "the socket's path has \(socketPath.utf8.count) bytes, and the most is \(longestSocketPath)",
                remedy: "choose a shorter one with --socket or --data")
        }
    }

    private static func neighbours(_ lines: [String]) throws(StartUpError) -> [String: String] {
        var paths: [String: String] = [:]
        for line in lines {
            let halves = line.split(separator: "=", maxSplits: 1).map(String.init)
            guard halves.count == 2 else {
                throw StartUpError(
                    "--neighbour \"\(line)\" is not NAME=PATH",
                    remedy: "write it like retention=/run/samtal/retention.sock")
            }
            try check(socketPath: halves[1])
            paths[halves[0]] = halves[1]
        }
        return paths
    }

    private static func logLevel(_ text: String) throws(StartUpError) -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw StartUpError("--log-level: there is no level \"\(text)\"", remedy: "the levels are \(known)")
        }
        return level
    }

    private static func diskReserve(_ text: String?) throws(StartUpError) -> Int64 {
        guard let text else { return 8 << 20 }
        guard let number = Int64(text), (0...1024).contains(number) else {
            throw StartUpError(
                "--disk-reserve \(text) is not a number of MiB from 0 to 1024", remedy: "leave it out if in doubt")
        }
        return number << 20
    }

    private static func threads(_ text: String?) throws(StartUpError) -> Int {
        guard let text else { return min(System.coreCount, 8) }
        guard let number = Int(text), (1...64).contains(number) else {
            throw StartUpError("--threads \(text) is not a number from 1 to 64", remedy: "leave it out if in doubt")
        }
        return number
    }
}

import ArgumentParser
import Contracts
import Foundation
import Logging
import NIOPosix
import RPC
import ServiceKit

/// Where the services are.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The data folder, whose run/ holds the sockets (default: $SAMTAL_DATA, or ./data).", valueName: "dir"))
    var data: String?

    var dataFolder: String { data ?? ProcessInfo.processInfo.environment["SAMTAL_DATA"] ?? "./data" }

    func socket(_ service: String) -> String { "\(dataFolder)/run/\(service).sock" }
}

/// The clients of one command, closed when it ends.
struct Connection {
    let identity: IdentityV1.IdentityServiceClient
    let chat: ChatV1.ChatServiceClient
    let retention: RetentionV1.RetentionServiceClient
    /// Of the services that have one, by name.
    let clocks: [(name: String, service: ClockV1.ClockServiceClient)]
    /// Of the services that have something to copy.
    let backups: (all: [(name: String, service: BackupV1.BackupServiceClient)], retention: BackupV1.BackupServiceClient)
    private let channels: [RPCChannel]

    private init(options: ConnectionOptions, role: PeerRole) {
        let logger = Logger(label: "samtal") { _ in SwiftLogNoOpLogHandler() }
        let channels = ["identity", "chat", "retention"].map { name in
            RPCChannel(
                socketPath: options.socket(name), name: name, interceptors: InterceptorChain.client(role: role),
                group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        }
        self.channels = channels
        identity = IdentityV1.IdentityServiceClient(channel: channels[0])
        chat = ChatV1.ChatServiceClient(channel: channels[1])
        retention = RetentionV1.RetentionServiceClient(channel: channels[2])
        clocks = [
            ("identity", .init(channel: channels[0])), ("chat", .init(channel: channels[1])),
            ("retention", .init(channel: channels[2])),
        ]
        backups = (
            [
                ("chat", .init(channel: channels[1])), ("identity", .init(channel: channels[0])),
                ("retention", .init(channel: channels[2])),
            ], .init(channel: channels[2])
        )
    }

    /// Runs `body` with the services' clients; a failed call ends the command with one readable line.
    /// - Parameter role: what the command acts as, whatever else this user may be. The operator is given no content.
    static func with<Result>(
        _ options: ConnectionOptions, as role: PeerRole = .operator, _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let connection = Connection(options: options, role: role)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch let error as RPCError {
            await connection.close()
            throw CommandFailure(error, dataFolder: options.dataFolder, role: role)
        } catch {
            await connection.close()
            throw error
        }
    }

    private func close() async {
        for channel in channels { await channel.close() }
    }
}

/// What a failed command prints: what is wrong, and what to do about it.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(_ error: RPCError, dataFolder: String, role: PeerRole) {
        switch error.code {
        case .unavailable where error.reason == "STORE_FULL":
            description = "\(error.message). Make room on the disk that holds \(dataFolder), and run this again."
        case .unavailable where error.reason == "STORE_BUSY" || error.reason == "STOPPING":
            description = "\(error.message). Run this again in a moment."
        case .unavailable:
            description = """
                \(error.message). Are the services running on \(dataFolder)? \
                Start them with Scripts/run --data \(dataFolder), or name another folder with --data.
                """
        case .permissionDenied:
            description = """
                \(error.message). This command needs a user that the service maps to the \(role.rawValue) role (--peer).
                """
        case .unauthenticated where !error.reason.hasPrefix("SIGN_IN_CODE"):
            description = "\(error.message). Sign in again: samtal sign-in."
        default:
            description =
                switch error.reason {
                case "ORGANISATION_NOT_FOUND":
                    "\(error.message). samtal organisation list shows those that there are."
                case "AGREEMENT_REQUIRED", "AGREEMENT_NOT_FOUND":
                    "\(error.message). Does the organisation exist? samtal agreement record gives it an agreement."
                case "ADMINISTRATORS_ONLY":
                    """
                    \(error.message). Act for one of them: samtal sign-in. For an organisation that has lost every \
                    sign-in, samtal sign-in-link --instruction makes a link that works after 24 hours.
                    """
                case "ERASURES_UNCONFIRMED":
                    "\(error.message). Nothing was done. Preview it, and say with --erase how many sessions are to go."
                case "ZERO_DAYS_UNCONFIRMED":
                    "0 days erases each session the moment it ends. If that is meant, add --confirm-zero-days."
                default: error.message
                }
        }
    }
}

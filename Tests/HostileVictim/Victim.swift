import Logging
import NIOPosix
import RPC

/// A server to be attacked: a process of its own, so that what an attack costs can be read from /proc.
///
///     hostile-victim SOCKET [NAME=VALUE …]
///
/// The names are those of `RPCServer.Configuration`. It has one event loop: whoever attacks it shares a thread with
/// everybody else, which is the worst case.
@main
struct Victim {
    static func main() async throws {
        guard let path = CommandLine.arguments.dropFirst().first, !path.hasPrefix("-") else {
            return print("usage: hostile-victim SOCKET [NAME=VALUE …]")
        }
        var configuration = RPCServer.Configuration(socketPath: path)
        for setting in CommandLine.arguments.dropFirst(2) { try configuration.set(setting) }
        let server = RPCServer(
            configuration: configuration, handlers: VictimMethods.handlers, health: HealthService(),
            logger: Logger(label: "victim") { _ in SwiftLogNoOpLogHandler() },
            group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        try await server.run()
    }
}

extension RPCServer.Configuration {
    /// Takes one `NAME=VALUE`; times are in milliseconds.
    mutating func set(_ setting: String) throws {
        let parts = setting.split(separator: "=")
        guard parts.count == 2, let value = Int(parts[1]) else {
            throw RPCError(.invalidArgument, "\(setting): not NAME=NUMBER")
        }
        let name = String(parts[0])
        if let number = Self.numbers[name] {
            self[keyPath: number] = value
        } else if let time = Self.times[name] {
            self[keyPath: time] = .milliseconds(value)
        } else {
            throw RPCError(.invalidArgument, "\(name): no such setting")
        }
    }

    private static var numbers: [String: WritableKeyPath<Self, Int>] {
        [
            "maxConnections": \.maxConnections,
            "maxConcurrentStreams": \.maxConcurrentStreams,
            "maxQueuedFrames": \.maxQueuedFrames,
        ]
    }

    private static var times: [String: WritableKeyPath<Self, Duration>] {
        [
            "handshakeTimeout": \.handshakeTimeout,
            "requestTimeout": \.requestTimeout,
            "unreadResponseTimeout": \.unreadResponseTimeout,
        ]
    }
}

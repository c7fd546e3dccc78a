import Foundation
import TestProcesses
import Testing

/// The programs of all implementations: where they are, what starts them, and the servers that run.
actor Peers {
    static let shared = Peers()

    /// Holds the sockets and logs; short, since the path of a Unix socket holds 107 bytes.
    nonisolated let folder = "/tmp/ip-\(UUID().uuidString.prefix(8).lowercased())"
    /// By the folder in which their sources lie.
    private var building: [String: Task<String, any Error>] = [:]
    private var servers: [Implementation: Task<RunningServer, any Error>] = [:]

    nonisolated private var tests: URL { URL(fileURLWithPath: #filePath).deletingLastPathComponent() }
    nonisolated var repository: URL { tests.deletingLastPathComponent().deletingLastPathComponent() }

    /// A server process and what it listens on.
    struct RunningServer: Sendable {
        let process: ChildProcess
        /// As gRPC writes targets: `unix:PATH`.
        let target: String
    }

    /// The command line of a server.
    func server(_ implementation: Implementation, listen: String) async throws -> [String] {
        switch implementation {
        case .ours: ["rpc-interop", "serve", "--listen", listen]
        case .cpp: ["\(try await built("cpp"))/interop-server", "--listen", listen]
        case .go: ["\(try await built("go"))/interop-server", "--listen", listen]
        case .python: [try python(), script("interop_server.py"), "--listen", listen]
        case .grpclib: [try python(), script("grpclib_server.py"), "--listen", listen]
        }
    }

    /// The command line of a client, without a case.
    func client(_ implementation: Implementation, target: String) async throws -> [String] {
        switch implementation {
        case .ours: ["rpc-interop", "run", "--target", target]
        case .cpp: ["\(try await built("cpp"))/interop-client", "--target", target]
        case .go: ["\(try await built("go"))/interop-client", "--target", target]
        case .python: [try python(), script("interop_client.py"), "--target", target]
        case .grpclib: [try python(), script("grpclib_client.py"), "--target", target]
        }
    }

    /// The command line that lists a client's cases.
    func listing(_ implementation: Implementation) async throws -> [String] {
        switch implementation {
        case .ours: ["rpc-interop", "cases"]
        case .cpp: ["\(try await built("cpp"))/interop-client", "cases"]
        case .go: ["\(try await built("go"))/interop-client", "cases"]
        case .python: [try python(), script("interop_client.py"), "--list"]
        case .grpclib: [try python(), script("grpclib_client.py"), "--list"]
        }
    }

    nonisolated func script(_ name: String) -> String { tests.appending(path: name).path }

    nonisolated func python() throws -> String {
        let interpreter =
            ProcessInfo.processInfo.environment["SAMTAL_PYTHON"]
            ?? repository.appending(path: ".build/interop-venv/bin/python").path
        try #require(
            FileManager.default.isExecutableFile(atPath: interpreter),
            "no Python with grpcio at \(interpreter): Scripts/test makes one")
        return interpreter
    }

    /// Where the programs of a language that is compiled are, which are built when the first test asks.
    func built(_ language: String) async throws -> String {
        if let task = building[language] { return try await task.value }
        let script = script("\(language)/build")
        let folder = repository.appending(path: ".build/interop-\(language)").path
        let task = Task {
            let built = try await ChildProcess.run("/usr/bin/env", ["bash", script, folder], atMost: .seconds(600))
            try #require(built.status == 0, "the peers in \(language) can't be built: \(built.printed.suffix(4000))")
            return folder
        }
        building[language] = task
        return try await task.value
    }

    /// The one server of `implementation` that all cases share, started when the first asks.
    func shared(_ implementation: Implementation) async throws -> RunningServer {
        if let server = servers[implementation] { return try await server.value }
        let task = Task { try await start(implementation, listen: "unix:\(folder)/\(implementation).sock") }
        servers[implementation] = task
        return try await task.value
    }

    /// Starts a server, and returns when it serves.
    func start(_ implementation: Implementation, listen: String) async throws -> RunningServer {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let command = try await server(implementation, listen: listen)
        let process = try ChildProcess(
            command[0], Array(command.dropFirst()), log: "\(folder)/\(UUID().uuidString.prefix(8)).log",
            environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        do {
            try await eventually("the \(implementation.rawValue) server serves", within: .seconds(60)) {
                if let status = process.exitStatus {
                    throw ChildProcessError.timedOut("the server ended with \(status): \(process.printed.suffix(2000))")
                }
                return process.printed.contains("serving on \(listen)")
            }
        } catch {
            process.signal(SIGKILL)
            throw error
        }
        return RunningServer(process: process, target: listen)
    }

    /// Ends all shared servers, and says which of them did not end well.
    func stop() async -> [String] {
        var failures: [String] = []
        for (implementation, task) in servers {
            guard let server = try? await task.value else { continue }
            let endedEarly = server.process.exitStatus != nil
            server.process.signal(SIGTERM)
            let status = try? await server.process.wait()
            if status == nil { server.process.signal(SIGKILL) }
            if endedEarly || status != 0 {
                failures.append(
                    "the \(implementation.rawValue) server ended with \(status.map { "\($0)" } ?? "nothing"): "
                        + server.process.printed.suffix(2000))
            }
        }
        servers = [:]
        try? FileManager.default.removeItem(atPath: folder)
        return failures
    }
}

/// Ends the shared servers when the last test of a suite is over.
struct SharedPeers: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        do {
            try await function()
        } catch {
            _ = await Peers.shared.stop()
            throw error
        }
        let failures = await Peers.shared.stop()
        #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
    }
}

extension Trait where Self == SharedPeers {
    static var sharedPeers: SharedPeers { SharedPeers() }
}

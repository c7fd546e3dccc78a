import Foundation
import Logging
import NIOPosix
import RPC
import TestProcesses
import Testing

/// A service as systemd starts it from a `.socket` unit: another process has bound and listens, and goes on doing so
/// when the service has stopped.
@Suite("Socket activation", .timeLimit(.minutes(2)))
struct SocketActivationTests {
    /// Binds, listens and becomes the service: what `systemd` does, in the variables and descriptors of sd_listen_fds(3).
    private static let parent = """
        import os, socket, sys
        listener = socket.socket(getattr(socket, sys.argv[1]), socket.SOCK_STREAM)
        listener.bind(sys.argv[2] if sys.argv[1] == "AF_UNIX" else ("127.0.0.1", 0))
        listener.listen(16)
        print("listening", flush=True)
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="samtal-identity.socket")
        os.execv(sys.argv[3], sys.argv[3:])
        """

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/sa-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func start(in folder: String, family: String) throws -> ChildProcess {
        try ChildProcess(
            "/usr/bin/python3",
            [
                "-c", Self.parent, family, "\(folder)/passed.sock", "\(ChildProcess.folder)/samtal-identity", "--data",
                "\(folder)/data", "--region", "se",
            ], log: "\(folder)/identity.log")
    }

    @Test("a service serves on the socket it is passed, and leaves its file where it is")
    func serves() async throws {
        try await withFolder { folder in
            let path = "\(folder)/passed.sock"
            let child = try start(in: folder, family: "AF_UNIX")
            defer { child.signal(SIGKILL) }
            try await eventually("the parent listens") { child.printed.contains("listening") }
            let inode = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
            let channel = RPCChannel(
                socketPath: path, name: "identity", group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await eventually("it serves", within: .seconds(60)) {
                guard child.exitStatus == nil else { throw ChildProcessError.timedOut(child.printed) }
                let answer = try? await HealthV1.HealthClient(channel: channel).check(
                    .init(), options: .init(timeout: .seconds(2)))
                return answer?.status == .serving
            }
            #expect(child.printed.contains("\"socket\":\"samtal-identity.socket\""))
            // It has not made a socket of its own beside it.
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/data/run/identity.sock"))
            await channel.close()

            child.signal(SIGTERM)
            let status = try await child.wait()
            #expect(status == 0)
            let after = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
            #expect(after == inode)
        }
    }

    @Test("a descriptor that is no Unix socket keeps the service from starting, and it says so")
    func refuses() async throws {
        try await withFolder { folder in
            let child = try start(in: folder, family: "AF_INET")
            defer { child.signal(SIGKILL) }
            let status = try await child.wait()
            #expect(status == 1)
            let line = child.printed.split(separator: "\n").last { $0.hasPrefix("samtal-identity: ") }
            #expect(line?.contains("descriptor 3 (samtal-identity.socket) is not a Unix socket") == true)
        }
    }
}

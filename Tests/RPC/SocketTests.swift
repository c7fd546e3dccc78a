import Foundation
import RPC
import Testing

@testable import RPC

@Suite("The socket and its path", .timeLimit(.minutes(1)))
struct SocketTests {
    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    /// What a failure to bind says.
    private func failure(_ body: () throws -> ServerSocketBinder) -> String {
        do {
            let binder = try body()
            close(binder.descriptor)
            binder.release()
            return ""
        } catch {
            return String(describing: error)
        }
    }

    @Test("the file's mode is what was asked for, whatever the umask")
    func hasItsMode() async throws {
        try await withTemporaryFolder { folder in
            for wanted in [0o660, 0o600, 0o666] as [UInt16] {
                let path = folder + "/\(wanted).sock"
                let binder = try ServerSocketBinder(.path(path), mode: wanted, backlog: 1)
                #expect(try mode(path) == Int(wanted))
                close(binder.descriptor)
                binder.release()
            }
        }
    }

    @Test("a server's socket is for its user and group")
    func isForUserAndGroup() async throws {
        try await withServer([.echo]) { _, path in
            let found = try mode(path)
            #expect(found == 0o660)
        }
    }

    @Test("a second instance is refused and told why, and the first goes on")
    func refusesSecondInstance() async throws {
        try await withServer([.echo]) { channel, path in
            let second = makeServer(path, [.echo])
            await #expect {
                try await second.start()
            } throws: {
                String(describing: $0).contains("another instance is serving")
            }
            let response: Text = try await channel.unary(.echo, Text(service: "first"), options: .init())
            #expect(response.service == "first")
        }
    }

    @Test("a path that another program serves on, without a lock, is left alone")
    func refusesLivePath() async throws {
        try await withServer([.echo]) { channel, path in
            try FileManager.default.removeItem(atPath: path + ".lock")
            #expect(
                failure { try ServerSocketBinder(.path(path), mode: 0o660, backlog: 1) }
                    .contains("another program is serving"))
            let response: Text = try await channel.unary(.echo, Text(service: "first"), options: .init())
            #expect(response.service == "first")
        }
    }

    @Test("what a crashed instance left behind is replaced")
    func replacesStalePath() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let crashed = try ServerSocketBinder(.path(path), mode: 0o660, backlog: 1)
            close(crashed.descriptor)
            try FileManager.default.removeItem(atPath: path + ".lock")
            #expect(FileManager.default.fileExists(atPath: path))
            let server = makeServer(path, [.echo])
            try await server.start()
            let channel = makeChannel(path)
            let response: Text = try await channel.unary(.echo, Text(service: "new"), options: .init())
            #expect(response.service == "new")
            await channel.close()
            await server.shutDown()
        }
    }

    @Test("a file that is no socket is not removed")
    func keepsOtherFiles() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/file"
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            #expect(failure { try ServerSocketBinder(.path(path), mode: 0o660, backlog: 1) }.contains("not a socket"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
        }
    }

    @Test("a path too long for a socket is refused before anything is made")
    func refusesLongPaths() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/" + String(repeating: "p", count: 108)
            #expect(failure { try ServerSocketBinder(.path(path), mode: 0o660, backlog: 1) }.contains("107 bytes"))
            let made = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(made.isEmpty)
        }
    }

    @Test("an instance that stops removes its own socket, and not one that has taken its place")
    func removesOnlyItsOwn() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let first = try ServerSocketBinder(.path(path), mode: 0o660, backlog: 1)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.removeItem(atPath: path + ".lock")
            let second = try ServerSocketBinder(.path(path), mode: 0o660, backlog: 1)
            first.release()
            close(first.descriptor)
            #expect(FileManager.default.fileExists(atPath: path))
            close(second.descriptor)
            second.release()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }
}

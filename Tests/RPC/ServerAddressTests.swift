import Foundation
import Glibc
import NIOCore
import NIOPosix
import ProtobufC
import Testing

@testable import RPC

@Suite("Servers without a file of their own", .timeLimit(.minutes(1)))
struct ServerAddressTests {
    private func server(_ address: ServerAddress, _ handlers: [MethodHandler] = [.echo]) -> RPCServer {
        var configuration = RPCServer.Configuration(address: address)
        configuration.drainTimeout = .milliseconds(500)
        return RPCServer(
            configuration: configuration, handlers: handlers, health: HealthService(), logger: testLogger,
            group: testGroup)
    }

    /// What a call on a socket that is connected already is answered.
    private func echo(_ text: String, on client: RawClient) async throws -> [String] {
        client.open()
        let response = client.request(.request(), body: framed(text))
        try await client.wait(for: response)
        return response.messages.map(\.service)
    }

    private func failure(_ address: ServerAddress) async -> String {
        do {
            let server = server(address)
            try await server.start()
            await server.shutDown()
            return ""
        } catch {
            return String(describing: error)
        }
    }

    // MARK: Abstract names

    @Test("an abstract name is served on, makes no file, and is free again afterwards")
    func servesAbstractName() async throws {
        let name = "samtal-test-\(UInt32.random(in: 0 ... .max))"
        for round in 0..<2 {
            let server = server(.abstract(name))
            try await server.start()
            let client = try RawClient(abstract: name)
            expectEqual(try await echo("round \(round)", on: client), ["round \(round)"])
            #expect(!FileManager.default.fileExists(atPath: name))
            await server.shutDown()
            #expect(throws: RPCError.self) { try RawClient(abstract: name) }
        }
    }

    @Test("a second instance on an abstract name is refused, and the first goes on")
    func refusesSecondInstance() async throws {
        let name = "samtal-test-\(UInt32.random(in: 0 ... .max))"
        let first = server(.abstract(name))
        try await first.start()
        let reason = await failure(.abstract(name))
        #expect(reason.contains("another instance is serving"))
        expectEqual(try await echo("still", on: RawClient(abstract: name)), ["still"])
        await first.shutDown()
    }

    @Test("a name that is no name is refused", arguments: ["", String(repeating: "x", count: 108), "a\0b"])
    func refusesImpossibleNames(name: String) async {
        let reason = await failure(.abstract(name))
        #expect(reason.contains("1 to 107 bytes"))
    }

    @Test("the longest name there can be is served on")
    func servesLongestName() async throws {
        let name = String(repeating: "x", count: 99) + String(UInt32.random(in: 10_000_000...99_999_999))
        let server = server(.abstract(name))
        try await server.start()
        expectEqual(try await echo("long", on: RawClient(abstract: name)), ["long"])
        await server.shutDown()
    }

    // MARK: Inherited descriptors

    @Test("a socket that was inherited is served on, and its file left alone")
    func servesInherited() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let binder = try ServerSocketBinder(.path(path), mode: 0o600, backlog: 16)
            let server = server(.inherited(descriptor: binder.descriptor))
            try await server.start()
            expectEqual(try await echo("handed over", on: RawClient(path)), ["handed over"])
            await server.shutDown()
            #expect(FileManager.default.fileExists(atPath: path))
            // The descriptor was the server's to close.
            #expect(throws: RPCError.self) { try RawClient(path) }
            binder.release()
        }
    }

    @Test("a descriptor that is no listening Unix stream socket is refused, and left open")
    func refusesOtherDescriptors() async throws {
        let kinds: [(domain: CInt, type: CInt, reason: String)] = [
            (AF_UNIX, CInt(SOCK_STREAM.rawValue), "doesn't listen"),
            (AF_UNIX, CInt(SOCK_DGRAM.rawValue), "not a stream socket"),
            (AF_INET, CInt(SOCK_STREAM.rawValue), "not a Unix socket"),
        ]
        for kind in kinds {
            let descriptor = socket(kind.domain, kind.type, 0)
            defer { close(descriptor) }
            let reason = await failure(.inherited(descriptor: descriptor))
            #expect(reason.contains(kind.reason))
            #expect(fcntl(descriptor, F_GETFD) >= 0)
        }
        let none = await failure(.inherited(descriptor: 100_000))
        #expect(none.contains("not a Unix socket"))
    }

    @Test("as many connections may wait as the configuration says, not as many as NIO would let")
    func keepsBacklog() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            var configuration = RPCServer.Configuration(socketPath: path)
            configuration.backlog = 3
            // A loop that is busy accepts nothing.
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let server = RPCServer(
                configuration: configuration, handlers: [.echo], health: HealthService(), logger: testLogger,
                group: group)
            try await server.start()
            let gate = DispatchSemaphore(value: 0)
            let isBusy = Shared(false)
            group.next().execute {
                isBusy.update { $0 = true }
                gate.wait()
            }
            try await eventually("the loop is busy") { isBusy.value }
            var connected = 0
            var clients: [CInt] = []
            for _ in 0..<20 {
                let client = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
                clients.append(client)
                if RawClient.connect(client, to: path) { connected += 1 }
            }
            gate.signal()
            // The kernel lets one more in than it is told (unix(7)).
            #expect((3...4).contains(connected))
            for client in clients { close(client) }
            await server.shutDown()
            try await group.shutdownGracefully()
        }
    }
}

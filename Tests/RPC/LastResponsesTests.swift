import NIOCore
import ProtobufC
import Testing

@testable import RPC

@Suite("The last responses of a connection", .timeLimit(.minutes(1)))
struct LastResponsesTests {
    enum End: CaseIterable {
        case age
        case shutdown
    }

    /// A server of one method, that answers with so many bytes once it may.
    private func withServer(
        answering count: Int, gate: Gate, configure: (inout RPCServer.Configuration) -> Void,
        _ body: (RPCServer, RawClient) async throws -> Void
    ) async throws {
        let text = Text(service: String(repeating: "x", count: count))
        let handler = MethodHandler.unary(.echo) { (_: Text, _) in
            try await gate.wait()
            return text
        }
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            let server = makeServer(path, [handler], configure: configure)
            try await server.start()
            let client = try RawClient(path)
            client.open(window: count * 2)
            do {
                try await body(server, client)
                await server.shutDown()
            } catch {
                await server.shutDown()
                throw error
            }
        }
    }

    @Test(
        "a connection that is drained ends only when a slow reader has all of its last response",
        arguments: End.allCases)
    func goOutWhole(end: End) async throws {
        let count = 4_000_000
        let gate = Gate()
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.drainTimeout = .seconds(20)
            if end == .age { configuration.maxConnectionAge = .milliseconds(30) }
        }
        try await withServer(answering: count, gate: gate, configure: configure) { server, client in
            let response = client.request(.request(), body: framed("x"))
            try await eventually("the handler waits") { gate.waiting == 1 }
            if end == .shutdown { Task { await server.shutDown() } }
            try await client.wait { client.goAways == 2 }
            gate.open()
            while !response.isOver, !client.isClosed {
                client.receive()
                try await Task.sleep(for: .milliseconds(2))
            }
            expect(nil, response)
            #expect(response.messages.first?.service.utf8.count == count)
            try await client.wait { client.isClosed }
        }
    }

    @Test(
        "a caller that doesn't read its last response keeps a drained connection for as long as any that isn't read",
        // More than a socket takes and less than NIO does beside it; and more than both.
        arguments: [500_000, 4_000_000])
    func areGivenUp(count: Int) async throws {
        let gate = Gate()
        let configure = { (configuration: inout RPCServer.Configuration) in
            configuration.maxConnectionAge = .milliseconds(30)
            configuration.unreadResponseTimeout = .milliseconds(100)
        }
        try await withServer(answering: count, gate: gate, configure: configure) { server, client in
            let response = client.request(.request(), body: framed("x"))
            try await eventually("the handler waits") { gate.waiting == 1 }
            try await client.wait { client.goAways == 2 }
            gate.open()
            try await eventually("the connection is closed") { server.statistics.openConnections == 0 }
            try await client.wait { client.isClosed }
            #expect(!response.isOver)
        }
    }
}

import RPC
import Testing

@Suite("Calls that wait a while for a server that is away", .timeLimit(.minutes(1)))
struct PatienceTests {
    private func channel(_ paths: [String], patience: Duration?) -> RPCChannel {
        var limits = ClientLimits()
        limits.patience = patience
        return RPCChannel(
            targets: paths.map { .path($0) }, name: "neighbour", limits: limits, group: testGroup, logger: testLogger)
    }

    /// A folder, and a channel to so many servers that aren't there.
    private func withoutServers(
        _ targets: Int, patience: Duration, _ body: (RPCChannel, _ path: String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let paths = (0..<targets).map { "\(folder)/\($0).sock" }
            let channel = channel(paths, patience: patience)
            try await body(channel, paths[targets - 1])
            await channel.close()
        }
    }

    private func ask(_ channel: RPCChannel, _ options: CallOptions = .init()) async throws -> Text {
        try await channel.unary(.echo, Text(service: "hej"), options: options)
    }

    @Test("a call waits for a server that comes up meanwhile", arguments: [1, 2])
    func waits(targets: Int) async throws {
        try await withoutServers(targets, patience: .seconds(30)) { channel, path in
            async let answer = ask(channel)
            try await Task.sleep(for: .milliseconds(300))
            let server = makeServer(path, [.echo, .count])
            try await server.start()
            #expect(try await answer.service == "hej")
            await server.shutDown()

            // And so does a stream, for one that comes back.
            let texts: ResponseStream<Text> = channel.serverStreaming(
                .count, Text(service: "1"), options: .init())
            async let first = texts.first { _ in true }
            try await Task.sleep(for: .milliseconds(300))
            let successor = makeServer(path, [.echo, .count])
            try await successor.start()
            #expect(try await first?.service == "0")
            await successor.shutDown()
        }
    }

    @Test("one that has waited as long as it may fails as not reachable", arguments: [1, 2])
    func givesUp(targets: Int) async throws {
        try await withoutServers(targets, patience: .milliseconds(300)) { channel, _ in
            let began = ContinuousClock.now
            let outcome = try await status { try await ask(channel) }
            #expect(outcome?.code == .unavailable)
            #expect(outcome?.reason == "NEIGHBOUR_UNAVAILABLE")
            #expect(outcome?.message == "neighbour is not reachable")
            #expect(ContinuousClock.now - began >= .milliseconds(290))
        }
    }

    @Test("what a call says itself counts: its deadline, that it won't wait, that it will", arguments: [1, 2])
    func callsDecide(targets: Int) async throws {
        try await withoutServers(targets, patience: .seconds(50)) { channel, _ in
            let impatient = try await status { try await ask(channel, .init(waitForReady: false)) }
            #expect(impatient?.code == .unavailable)
            let late = try await status { try await ask(channel, .init(timeout: .milliseconds(100))) }
            #expect(late?.code == .deadlineExceeded)
        }
        try await withoutServers(targets, patience: .milliseconds(10)) { channel, _ in
            let options = CallOptions(timeout: .milliseconds(200), waitForReady: true)
            let patient = try await status { try await ask(channel, options) }
            #expect(patient?.code == .deadlineExceeded)
        }
    }

    @Test("calls that are made all the time don't notice that their server is restarted")
    func restarts() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s.sock"
            var server = makeServer(path, [.echo])
            try await server.start()
            let channel = channel([path], patience: .seconds(30))
            let isOver = Shared(false)
            let made = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { callers in
                for _ in 0..<16 {
                    callers.addTask {
                        while !isOver.value {
                            let answer = try await ask(channel, .init(timeout: .seconds(50)))
                            #expect(answer.service == "hej")
                            made.update { $0 += 1 }
                        }
                    }
                }
                for _ in 0..<3 {
                    let before = made.value
                    try await eventually("calls are made") { made.value > before + 100 }
                    await server.shutDown()
                    try await Task.sleep(for: .milliseconds(100))
                    server = makeServer(path, [.echo])
                    try await server.start()
                }
                isOver.update { $0 = true }
                try await callers.waitForAll()
            }
            await channel.close()
            await server.shutDown()
        }
    }
}

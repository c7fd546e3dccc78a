import Contracts
import Foundation
import RPC
import Synchronization
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Restarts that callers don't notice")
struct RestartTests {
    /// A little less than services wait for a neighbour: on a machine that takes longer to start one, calls give up.
    private static let briefOutage: Duration = .milliseconds(1500)

    /// Stops and starts a service while `calls` are made, which must all go well; again when that took the machine so long
    /// that they had to give up.
    private func restarting(
        _ service: RunningSamtal.Service, of samtal: RunningSamtal, signal: Int32 = SIGTERM,
        _ calls: @Sendable @escaping () async throws -> Void
    ) async throws {
        for _ in 0..<6 {
            let began = ContinuousClock.now
            try await samtal.end(service, signal: signal)
            let made = Task { try await calls() }
            try await samtal.start(service)
            let outage = ContinuousClock.now - began
            let outcome = await made.result
            if outage < Self.briefOutage { return try outcome.get() }
        }
        Issue.record("this machine restarts nothing in \(Self.briefOutage)")
    }

    @Test(
        "under load through the gateway, over gRPC and HTTP, no idempotent call fails while chat is restarted",
        arguments: [SIGTERM, SIGKILL])
    func underLoad(signal: Int32) async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let participant = try await samtal.join(session)
            let load = Load(samtal, session: session, participant: participant)
            try await withThrowingTaskGroup(of: Void.self) { callers in
                for number in 0..<8 { callers.addTask { await load.callOverGRPC(number) } }
                for _ in 0..<4 { callers.addTask { try await load.callOverHTTP() } }
                // What may have been done is not done again: joining may fail, but only for a process that died.
                if signal == SIGTERM { callers.addTask { await load.join() } }
                var counted = 0
                for _ in 0..<8 where counted < 3 {
                    let before = load.made
                    try await eventually("calls are made", within: .seconds(60)) { load.made > before + 200 }
                    let failed = load.failures
                    let began = ContinuousClock.now
                    try await samtal.end(.chat, signal: signal)
                    try await samtal.start(.chat)
                    let outage = ContinuousClock.now - began
                    // Those that waited are through, too.
                    let after = load.made
                    try await eventually("calls go on", within: .seconds(60)) { load.made > after + 50 }
                    guard outage < Self.briefOutage else { continue }
                    counted += 1
                    #expect(load.failures.dropFirst(failed.count).isEmpty)
                }
                #expect(counted > 0)
                load.stop()
                try await callers.waitForAll()
            }
        }
    }

    @Test("a service that stays away is named, when calls have waited for it for two seconds")
    func away() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            try await samtal.end(.chat, signal: SIGTERM)
            let began = ContinuousClock.now
            let error = await #expect(throws: RPCError.self) {
                try await ChatV1.ChatServiceClient(channel: samtal.channel(.gateway))
                    .getSession(.init(sessionID: session))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.reason == "NEIGHBOUR_UNAVAILABLE")
            #expect(error?.message.contains("chat") == true)
            #expect(ContinuousClock.now - began >= .milliseconds(1900))
            let (body, status) = try await Load(samtal, session: session, participant: .init()).get()
            #expect(status == 503)
            #expect(body.contains("chat"))
        }
    }

    @Test("retention may be restarted while sessions are created, and chat while one is exported and erased")
    func betweenServices() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            _ = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "Hinner ni?", requestID: "request-1"),
                options: try await samtal.join(session))
            try await restarting(.retention, of: samtal) {
                for number in 0..<5 {
                    _ = try await samtal.chat.createSession(
                        .init(title: "Session \(number)"), options: organisation.administrator)
                }
            }
            _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
            // Retention has heard of the end.
            try await eventually("the session is exported") {
                try await export(session, from: samtal, as: organisation) != nil
            }
            try await restarting(.chat, of: samtal) {
                let archive = try await export(session, from: samtal, as: organisation)
                #expect(archive?.starts(with: Data("PK".utf8)) == true)
            }
            try await restarting(.chat, of: samtal) {
                // The same again is the same certificate.
                let certificate = try await samtal.retention.eraseSession(
                    .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
                #expect(certificate.statement.contains("\"questions\":1"))
            }
        }
    }

    /// Nil while the session can't be exported yet.
    @Sendable private func export(
        _ session: String, from samtal: RunningSamtal, as organisation: TestOrganisation
    ) async throws -> Data? {
        var archive = Data()
        do {
            let chunks = samtal.retention.exportSession(
                .init(sessionID: session), options: organisation.administrator)
            for try await chunk in chunks { archive += chunk.data }
        } catch let error as RPCError where error.code == .failedPrecondition {
            return nil
        }
        return archive
    }

    @Test("identity may be restarted while the others need its keys")
    func identity() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            try await restarting(.identity, of: samtal) {
                // Processes of new, which know no key.
                for service in [RunningSamtal.Service.chat, .retention] {
                    try await samtal.end(service, signal: SIGTERM)
                    try await samtal.start(service)
                }
                _ = try await samtal.chat.listSessions(.init(), options: organisation.administrator)
                _ = try await samtal.retention.getPolicy(
                    .init(organisationID: organisation.organisationID), options: organisation.administrator)
            }
        }
    }

    @Test("the gateway's health tells of each service behind it, by its full name, and follows it")
    func health() async throws {
        try await RunningSamtal.with { samtal in
            let health = HealthV1.HealthClient(channel: samtal.channel(.gateway))
            let names = [
                "samtal.identity.v1.IdentityService", "samtal.chat.v1.ChatService",
                "samtal.retention.v1.RetentionService",
                "samtal.chat.v1", "grpc.health.v1.Health",
            ]
            for name in names {
                try await eventually("\(name) serves") {
                    try await health.check(.init(service: name)).status == .serving
                }
            }
            var watch = health.watch(.init(service: "samtal.chat.v1.ChatService")).makeAsyncIterator()
            #expect(try await watch.next()?.status == .serving)
            try await samtal.end(.chat, signal: SIGKILL)
            #expect(try await watch.next()?.status == .notServing)
            #expect(try await health.check(.init(service: "samtal.chat.v1")).status == .notServing)
            #expect(try await health.check(.init(service: names[0])).status == .serving)
            #expect(try await health.check(.init()).status == .serving)
            try await samtal.start(.chat)
            #expect(try await watch.next()?.status == .serving)
            let unknown = await #expect(throws: RPCError.self) {
                try await health.check(.init(service: "samtal.chat.v1.NoSuchService"))
            }
            #expect(unknown?.code == .notFound)
        }
    }
}

/// Callers that call all the time, each as soon as it is answered, and note what went wrong.
private final class Load: Sendable {
    private struct State {
        var made = 0
        var failures: [String] = []
        var isOver = false
    }

    private let samtal: RunningSamtal
    private let session: String
    private let participant: CallOptions
    private let state = Mutex(State())

    var made: Int { state.withLock { $0.made } }
    var failures: [String] { state.withLock { $0.failures } }
    private var isOver: Bool { state.withLock { $0.isOver } }

    init(_ samtal: RunningSamtal, session: String, participant: CallOptions) {
        self.samtal = samtal
        self.session = session
        self.participant = participant
    }

    func stop() { state.withLock { $0.isOver = true } }

    private func note(_ failure: String?) {
        state.withLock { state in
            state.made += 1
            if let failure { state.failures.append(failure) }
        }
    }

    private func note(_ call: () async throws -> some Any) async {
        do {
            _ = try await call()
            note(nil)
        } catch {
            note("\(error)")
        }
    }

    func callOverGRPC(_ caller: Int) async {
        let chat = ChatV1.ChatServiceClient(channel: samtal.channel(.gateway))
        let options = CallOptions(metadata: participant.metadata)
        var number = 0
        while !isOver {
            number += 1
            let request = ChatV1.AskQuestionRequest(
                sessionID: session, text: "Fråga \(caller)-\(number)", requestID: "request-\(caller)-\(number)")
            await note { try await chat.getSession(.init(sessionID: session)) }
            if number.isMultiple(of: 20) { await note { try await chat.askQuestion(request, options: options) } }
        }
    }

    func join() async {
        let chat = ChatV1.ChatServiceClient(channel: samtal.channel(.gateway))
        while !isOver { await note { try await chat.joinSession(.init(sessionID: session)) } }
    }

    /// As often as one client may.
    func callOverHTTP() async throws {
        while !isOver {
            let (body, status) = try await get()
            note(status == 200 ? nil : "\(status): \(body)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func get() async throws -> (body: String, status: Int) {
        let url = try #require(URL(string: "\(samtal.httpAddress())/v1/sessions/\(session)"))
        let (data, answer) = try await URLSession.shared.data(from: url)
        return (String(decoding: data, as: UTF8.self), (answer as? HTTPURLResponse)?.statusCode ?? 0)
    }
}

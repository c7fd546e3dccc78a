import Contracts
import Foundation
import GatewayServer
import NIOCore
import RPC
import ServiceKit
import Synchronization
import Testing

/// One caller with many calls in flight, and another who must not notice.
@Suite("bounds on calls in flight")
struct CallBoundsTests {
    private func token(_ name: String) -> [(String, String)] { [("Authorization", "Bearer \(name)")] }

    private func refusals(_ gateway: TestGateway, _ bound: String) -> Int {
        let start = "\(Refusals.metric){bound=\"\(bound)\"} "
        let line = gateway.metrics.text().split(separator: "\n").first { $0.hasPrefix(start) }
        return line.flatMap { Int($0.dropFirst(start.count)) } ?? -1
    }

    private func channel(_ gateway: TestGateway) -> RPCChannel {
        RPCChannel(
            socketPath: "\(gateway.folder)/gateway.sock", name: "gateway", group: gateway.group,
            logger: TestGateway.quiet)
    }

    /// Asks without waiting for the answers.
    private func ask(
        _ count: Int, _ path: String, as headers: [(String, String)], at gateway: TestGateway,
        from address: String? = nil
    ) async throws -> [HTTPConnection] {
        var connections: [HTTPConnection] = []
        for _ in 0..<count {
            let connection = try await HTTPConnection(port: gateway.port, group: gateway.group, from: address)
            try await connection.send("GET", path, headers: headers)
            connections.append(connection)
        }
        return connections
    }

    @Test("900 lists in flight with one token hold up another's list by a few pages, and another's question by none")
    func lists() async throws {
        try await TestGateway.run { gateway in
            gateway.chat.lists.hold()
            let path = "/v1/sessions/s1/questions"
            let crowd = try await ask(900, path, as: token("north"), at: gateway)
            try await eventually("600 are refused") { refusals(gateway, "calls-of-token") == 600 }
            gateway.chat.lists.release(oneAtATime: .milliseconds(5))
            let before = gateway.chat.lists.answered
            let list = try await gateway.request("GET", path, headers: token("south"))
            let during = gateway.chat.lists.answered - before
            #expect(list.status == 200)
            // As many as chat is asked for at a time were ahead of it, and those that came until its answer was there.
            #expect(during < 100, "\(during) pages were answered meanwhile")

            let asked = gateway.chat.lists.answered
            let question = try await gateway.request(
                "POST", "/v1/sessions/s1/questions", headers: [("Samtal-Participant", "south")],
                body: #"{"text":"Hur länge?","requestId":"request-1"}"#)
            #expect(question.status == 200)
            #expect(gateway.chat.lists.answered - asked < 100)
            #expect(gateway.chat.lists.inFlight > 0, "the crowd still waits")

            try await eventually("all are answered") { crowd.allSatisfy { $0.answer != nil } }
            let answers = try await crowd.asyncMap { try await $0.wholeAnswer() }
            let refused = answers.filter { $0.status == 429 }
            #expect(answers.count { $0.status == 200 } == 300 && refused.count == 600)
            #expect(refused.allSatisfy { $0.reason == "TOO_MANY_CALLS" && $0.bound == "calls-of-token" })
            #expect(refused.allSatisfy { $0.headers["retry-after"] == "1" })
            try await eventually("every place is free again") { gateway.gates.inFlight == 0 }
            for connection in crowd { connection.close() }
        }
    }

    @Test("tokens that nobody gave out make no more room for the client that sends them")
    func manyTokens() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.calls.calls = Bound("calls", most: 40)
            $0.calls.callsOfClient = Bound("calls-of-client", most: 20, whenCrowded: 2)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.lists.hold()
            let path = "/v1/sessions/s1/questions"
            var crowd: [HTTPConnection] = []
            for number in 0..<30 { crowd += try await ask(1, path, as: token("forged-\(number)"), at: gateway) }
            try await eventually("ten are refused") { crowd.count { $0.answer?.status == 429 } == 10 }
            #expect(refusals(gateway, "calls-of-client") == 10)
            // From here on the places are crowded, and whoever holds many gets no more.
            crowd += try await ask(20, path, as: [], at: gateway, from: "127.0.0.2")
            try await eventually("ten more are refused") { refusals(gateway, "calls-of-client") == 20 }
            for last in 3..<8 { crowd += try await ask(3, path, as: [], at: gateway, from: "127.0.0.\(last)") }
            try await eventually("each of the others has two") { refusals(gateway, "calls-of-client") == 25 }
            #expect(refusals(gateway, "calls") == 0)
            gateway.chat.lists.release()
            try await eventually("those that waited are answered") { crowd.count { $0.answer?.status == 200 } == 40 }
            for connection in crowd { connection.close() }
        }
    }

    @Test("a service that hangs keeps nobody from another service, and places are given back at the deadline")
    func hangs() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.calls.callsOfToken = Bound("calls-of-token", most: 20)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.lists.hold()
            let crowd = try await ask(30, "/v1/sessions/s1/questions", as: token("north"), at: gateway)
            try await eventually("ten are refused") { crowd.count { $0.answer?.status == 429 } == 10 }
            let policy = try await gateway.request(
                "PUT", "/v1/organisations/o1/policy", headers: token("north"), body: #"{"retentionDays":4}"#)
            #expect(policy.status == 200)
            try await eventually("the others' time is over", within: .seconds(40)) {
                crowd.count { $0.answer?.status == 504 } == 20
            }
            try await eventually("their places are free") { gateway.gates.inFlight == 0 }
            gateway.chat.lists.release()
            for connection in crowd { connection.close() }
        }
    }

    @Test("on the gRPC socket too, a token and a process have so many calls in flight, and others go on")
    func forwarded() async throws {
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.calls.forwardedOfProcess = Bound("forwarded-calls-of-process", most: 350, whenCrowded: 100)
        }
        try await TestGateway.run(configure: configure) { gateway in
            gateway.chat.lists.hold()
            let channel = channel(gateway)
            let chat = ChatV1.ChatServiceClient(channel: channel)
            func list(_ name: String) async -> RPCError? {
                let options = CallOptions(metadata: ["authorization": "Bearer \(name)"])
                do {
                    _ = try await chat.listQuestions(.init(sessionID: "s1"), options: options)
                    return nil
                } catch {
                    return error as? RPCError
                }
            }
            try await withThrowingTaskGroup(of: RPCError?.self) { group in
                for _ in 0..<310 { group.addTask { await list("north") } }
                // Ten at once; the others wait.
                for _ in 0..<10 {
                    let refused = try #require(try await group.next() ?? nil)
                    #expect(refused.code == .resourceExhausted && refused.reason == "TOO_MANY_CALLS")
                    #expect(refused.metadata == ["bound": "forwarded-calls-of-token"])
                }
                for number in 0..<60 { group.addTask { await list("other-\(number)") } }
                for _ in 0..<10 {
                    let refused = try #require(try await group.next() ?? nil)
                    #expect(refused.metadata == ["bound": "forwarded-calls-of-process"])
                }
                let answered = gateway.chat.lists.answered
                let session = try await chat.getSession(.init(sessionID: "s1"))
                #expect(session.sessionID == "s1")
                // The places of HTTP are its own.
                let web = try await gateway.request("GET", "/v1/sessions/s1")
                #expect(web.status == 200)
                #expect(gateway.chat.lists.answered == answered)
                gateway.chat.lists.release()
                for try await failure in group { #expect(failure == nil) }
            }
            await channel.close()
        }
    }
}

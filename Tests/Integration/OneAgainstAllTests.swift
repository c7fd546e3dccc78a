import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("One organisation against all others, in whole processes", .timeLimit(.minutes(5)))
struct OneAgainstAllTests {
    /// More than the sockets and windows between chat and a caller hold.
    private static let questions = 1_200

    @Test("hundreds of slow exports of one organisation cost little memory, and another erases, exports and moderates")
    func exports() async throws {
        try await RunningSamtal.with { samtal in
            let north = try await TestOrganisation.create(in: samtal)
            let south = try await TestOrganisation.create(in: samtal, name: "Byrån", email: "bo@example.se")
            let long = try await north.openSession(in: samtal)
            try await fill(long, in: samtal)
            let ended = try await south.openSession(in: samtal)
            _ = try await samtal.chat.endSession(.init(sessionID: ended), options: south.administrator)
            let open = try await south.openSession(in: samtal)
            let participant = try await samtal.join(open)
            let before = (chat: try memory(of: .chat, samtal), retention: try memory(of: .retention, samtal))

            // Through the gateway's socket and at retention's own.
            var slow: [ResponseStream<RetentionV1.ExportChunk>.AsyncIterator] = []
            var reasons: [String: Int] = [:]
            for service in [RunningSamtal.Service.gateway, .retention] {
                let retention = RetentionV1.RetentionServiceClient(channel: samtal.channel(service))
                for _ in 0..<260 {
                    let options = CallOptions(metadata: north.administrator.metadata)
                    var export = retention.exportSession(.init(sessionID: long), options: options).makeAsyncIterator()
                    do {
                        #expect(try await export.next() != nil)
                        slow.append(export)
                    } catch let error as RPCError {
                        reasons["\(error.reason) \(error.metadata)", default: 0] += 1
                    }
                }
            }
            #expect(slow.count == 4)
            #expect(reasons == [#"TOO_MANY_EXPORTS ["bound": "exports-of-organisation"]"#: 516])

            let calls = CallOptions(metadata: south.administrator.metadata, timeout: .seconds(20))
            let gateway = RetentionV1.RetentionServiceClient(channel: samtal.channel(.gateway))
            let certificate = try await gateway.eraseSession(
                .init(sessionID: ended, confirmSessionID: ended), options: calls)
            #expect(certificate.sessionID == ended)
            var bytes = 0
            for try await chunk in gateway.exportSession(.init(sessionID: open), options: calls) {
                bytes += chunk.data.count
            }
            #expect(bytes > 0)
            let question = try await samtal.chat.askQuestion(
                .init(sessionID: open, text: "Går det?", requestID: "request-1"), options: participant)
            let published = try await ChatV1.ChatServiceClient(channel: samtal.channel(.gateway)).publishQuestion(
                .init(sessionID: open, questionID: question.questionID), options: calls)
            #expect(published.state == .published)

            let after = (chat: try memory(of: .chat, samtal), retention: try memory(of: .retention, samtal))
            print(
                "520 slow exports: chat \(before.chat) → \(after.chat) MB, retention \(before.retention) →",
                "\(after.retention) MB")
            #expect(after.chat - before.chat < 64)
            #expect(after.retention - before.retention < 64)
            slow.removeAll()
        }
    }

    /// Random texts, which hardly compress.
    private func fill(_ session: String, in samtal: RunningSamtal) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for asker in 0..<8 {
                group.addTask {
                    let participant = try await samtal.join(session)
                    for number in 0..<(Self.questions / 8) {
                        let text = (0..<150).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
                        _ = try await samtal.chat.askQuestion(
                            .init(
                                sessionID: session, text: String(text.prefix(1_900)),
                                requestID: "request-\(asker)-\(number)"), options: participant)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Resident, in megabytes.
    private func memory(of service: RunningSamtal.Service, _ samtal: RunningSamtal) throws -> Int {
        let identifier = try #require(samtal.child(service)?.identifier)
        let status = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }) / 1024
    }

    @Test("one administrator's tabs take that one's places, also over HTTP, and another organisation's opens")
    func moderators() async throws {
        try await RunningSamtal.with { samtal in
            let north = try await TestOrganisation.create(in: samtal)
            let south = try await TestOrganisation.create(in: samtal, name: "Byrån", email: "bo@example.se")
            let theirs = try await north.openSession(in: samtal)
            let own = try await south.openSession(in: samtal)
            let address = try samtal.httpAddress()
            var tabs: [EventSocket] = []
            for number in 0..<20 {
                let tab = try EventSocket(address, session: theirs, token: north.accessToken)
                let head = try tab.head()
                if number < 12 {
                    #expect(head.hasPrefix("HTTP/1.1 200 "))
                } else {
                    #expect(head.hasPrefix("HTTP/1.1 429 "))
                    #expect(head.contains("\"bound\":\"moderator-feeds-of-administrator\""))
                }
                tabs.append(tab)
            }
            let other = try EventSocket(address, session: own, token: south.accessToken)
            #expect(try other.head().hasPrefix("HTTP/1.1 200 "))
            _ = tabs
        }
    }
}

/// A moderators' feed over HTTP, as far as its beginning.
private final class EventSocket {
    private let descriptor: Int32

    init(_ address: String, session: String, token: String) throws {
        let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let request = """
            GET /v1/sessions/\(session)/events?audience=MODERATORS HTTP/1.1\r\nHost: localhost\r\n\
            Authorization: Bearer \(token)\r\n\r\n
            """
        _ = Array(request.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    deinit { close(descriptor) }

    /// What comes until there is a body, or for as long as an answer may take.
    func head() throws -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !text.contains("\r\n\r\n") || text.hasSuffix("\r\n\r\n") {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }
}

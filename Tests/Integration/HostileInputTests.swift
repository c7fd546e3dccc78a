import Contracts
import Foundation
import NIOCore
import RPC
import TestProcesses
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Hostile input to whole processes")
struct HostileInputTests {
    @Test("garbage on a socket costs that connection only")
    func garbage() async throws {
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            for service in RunningSamtal.Service.allCases {
                for bytes in Self.garbage { RawSocket.send(bytes, to: samtal.socket(service)) }
                let health = try await HealthV1.HealthClient(channel: samtal.channel(service)).check(.init())
                #expect(health.status == .serving)
                #expect(samtal.child(service)?.isRunning == true)
            }
            #expect(try await samtal.chat.getSession(.init(sessionID: session)).state == .open)
        }
    }

    private static let garbage: [[UInt8]] = [
        [], Array("GET / HTTP/1.1\r\n\r\n".utf8), Array(repeating: 0xff, count: 100_000),
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Array(repeating: 0x00, count: 4096),
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0xff, 0xff, 0xff, 0x01, 0x04, 0, 0, 0, 1],
        (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 7919) },
    ]

    @Test("bad fields get a status that names the field and the reason")
    func badFields() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let participant = try await samtal.join(session)
            let bad: [(text: String, requestID: String, field: String)] = [
                ("", "request-1", "text"), (String(repeating: "å", count: 2001), "request-1", "text"),
                ("a\u{7}b", "request-1", "text"), ("Hej", "kort", "request_id"),
                ("Hej", "med mellanslag", "request_id"),
            ]
            for (text, requestID, field) in bad {
                do {
                    _ = try await samtal.chat.askQuestion(
                        .init(sessionID: session, text: text, requestID: requestID), options: participant)
                    Issue.record("\(field) was accepted")
                } catch let error as RPCError {
                    #expect(error.code == .invalidArgument)
                    #expect(error.fields.map(\.field) == [field])
                    #expect(error.fields.allSatisfy { !$0.reason.isEmpty })
                }
            }
            await expectStatus(.notFound) { try await samtal.chat.getSession(.init(sessionID: "a-unknown")) }
            await expectStatus(.unauthenticated) {
                try await samtal.chat.endSession(.init(sessionID: session))
            }
            await expectStatus(.unauthenticated) {
                try await samtal.chat.endSession(
                    .init(sessionID: session), options: .init(metadata: ["authorization": "Bearer nonsense"]))
            }
        }
    }

    @Test("bytes that are no UTF-8, or hold a NUL, are refused with the field's name")
    func badStrings() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            for text in [[0xc3, 0x28], [0x41, 0x00, 0x42]] as [[UInt8]] {
                // CreateOrganisationRequest.display_name, field 1, by hand: no generated type would write it.
                let message = [0x0a, UInt8(text.count)] + text
                do {
                    _ = try await samtal.channel(.identity).rawUnary(
                        IdentityV1.IdentityServiceMethods.createOrganisation, .init(bytes: message), options: .init())
                    Issue.record("accepted")
                } catch let error as RPCError {
                    #expect(error.code == .invalidArgument)
                    #expect(error.message.contains("display_name"))
                }
            }
            let organisations = try await samtal.identity.listOrganisations(.init())
            #expect(organisations.organisations.isEmpty)
        }
    }

    @Test("the gateway answers bad JSON, unknown paths and tokens with JSON errors and stays up")
    func badHTTP() async throws {
        try await RunningSamtal.with { samtal in
            let base = try samtal.httpAddress()
            let cases: [(String, String, String?, Int)] = [
                ("POST", "/v1/sign-in", "{", 400), ("POST", "/v1/sign-in", #"{"code":5}"#, 400),
                ("POST", "/v1/sign-in", #"{"no_such":"x"}"#, 400),
                ("POST", "/v1/sign-in", #"{"code":"wrong"}"#, 401), ("GET", "/v1/no-such", nil, 404),
                ("GET", "/v1/sessions/a-unknown", nil, 404), ("GET", "/v1/sessions", nil, 401),
                ("POST", "/v1/sign-in", String(repeating: "[", count: 100_000), 413),
            ]
            for (verb, path, body, expected) in cases {
                guard let url = URL(string: base + path) else { continue }
                var request = URLRequest(url: url)
                request.httpMethod = verb
                request.httpBody = body.map { Data($0.utf8) }
                if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
                let (data, response) = try await URLSession.shared.data(for: request)
                let status = (response as? HTTPURLResponse)?.statusCode
                #expect(status == expected, "\(verb) \(path) \(body?.prefix(20) ?? "")")
                let error = try JSONSerialization.jsonObject(with: data) as? [String: Any]
                #expect(error?["error"] is [String: Any], "\(verb) \(path)")
            }
            #expect(samtal.child(.gateway)?.isRunning == true)
        }
    }
}

/// A Unix socket without any protocol.
enum RawSocket {
    static func send(_ bytes: [UInt8], to path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return }
        // The peer may close at any byte: MSG_NOSIGNAL, and a failed write is no failure here.
        _ = bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(descriptor, Int32(SHUT_WR))
        var answer = [UInt8](repeating: 0, count: 4096)
        while recv(descriptor, &answer, answer.count, 0) > 0 {}
    }
}

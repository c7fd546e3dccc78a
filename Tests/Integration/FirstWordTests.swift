import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("A service that has just started")
struct FirstWordTests {
    private func reason(_ samtal: RunningSamtal, _ token: String) async throws -> String? {
        let options = CallOptions(metadata: ["authorization": "Bearer \(token)"], timeout: .seconds(20))
        do {
            _ = try await samtal.chat.listSessions(.init(), options: options)
            return nil
        } catch let error as RPCError {
            return error.reason
        }
    }

    @Test("refuses the token of a sign-in that ended before, from the first call on")
    func ended() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let other = try await samtal.signIn("anna@example.se", organisationID: organisation.organisationID)
            #expect(try await reason(samtal, other.accessToken) == nil)
            _ = try await samtal.identity.revokeTokens(.init(refreshToken: other.refreshToken))
            for _ in 0..<3 {
                try await samtal.end(.chat, signal: SIGKILL)
                try await samtal.start(.chat)
                #expect(try await reason(samtal, other.accessToken) == "SIGN_IN_ENDED")
            }
            #expect(try await reason(samtal, organisation.accessToken) == nil)
        }
    }

    @Test("without identity it says so to administrators, serves participants, and goes on when identity is there")
    func withoutIdentity() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            try await samtal.end(.identity, signal: SIGTERM)
            try await samtal.end(.chat, signal: SIGTERM)
            try await samtal.start(.chat)
            #expect(try await reason(samtal, organisation.accessToken) == "NEIGHBOUR_UNAVAILABLE")
            let participant = try await samtal.join(session)
            let asked = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: "Hörs det?", requestID: "request-1"), options: participant)
            #expect(asked.state == .pending)
            try await samtal.start(.identity)
            try await eventually("administrators are answered") {
                try await reason(samtal, organisation.accessToken) == nil
            }
        }
    }
}

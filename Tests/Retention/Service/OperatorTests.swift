import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import Testing

@Suite("The operator is a processor")
struct OperatorTests {
    private static var asOperator: CallOptions { RunningRetention.asOperator }

    /// Retention with one session that has ended, and its chat.
    private func withSession(_ body: (RunningRetention, ChatPeer) async throws -> Void) async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder, schedules: false) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    chat.add("session-1", state: .ended, questions: Questions.some)
                    try await retention.end("session-1")
                    try await body(retention, chat)
                }
            }
        }
    }

    @Test("acting as the operator nobody exports a session, with an administrator's token neither")
    func noExport() async throws {
        try await withSession { retention, _ in
            try await expectRefusal(.permissionDenied, reason: "ROLE_NOT_ALLOWED") {
                try await retention.export("session-1", options: Self.asOperator)
            }
            var both = RunningRetention.asAdministrator()
            both.metadata.replace("samtal-role", "operator")
            try await expectRefusal(.permissionDenied, reason: "ROLE_NOT_ALLOWED") {
                try await retention.export("session-1", options: both)
            }
            // A process with every role needs the administrator's token all the same.
            try await expectRefusal(.unauthenticated, reason: "TOKEN_REQUIRED") {
                try await retention.export("session-1", options: .init(timeout: .seconds(20)))
            }
            #expect(try await retention.export("session-1").isEmpty == false)
        }
    }

    @Test("the operator erases on an instruction that it names, or not at all")
    func needsInstruction() async throws {
        try await withSession { retention, chat in
            let every = CallOptions(timeout: .seconds(20))
            var withToken = RunningRetention.asAdministrator()
            withToken.metadata.replace("samtal-role", "operator")
            for options in [Self.asOperator, every, withToken] {
                let refused = try await status { try await retention.erase("session-1", options: options) }
                #expect(refused?.code == .invalidArgument)
                #expect(refused?.reason == "INSTRUCTION_REQUIRED")
                #expect(refused?.fields.map(\.field) == ["instruction"])
            }
            #expect(chat.erasures(of: "session-1") == 0)
            #expect(try await retention.key(of: "session-1").key.count == 32)
        }
    }

    @Test(
        "an instruction that is blank, too long, or more than a line is refused",
        arguments: [
            " ", "\t", String(repeating: "å", count: 201), "två\u{7}rader", "\u{1B}[2J", "\u{202E}gnirdnä",
            String(repeating: "👩‍👩‍👧‍👦", count: 100),
        ])
    func hostileInstructions(text: String) async throws {
        try await withSession { retention, chat in
            let refused = try await status {
                try await retention.erase("session-1", instruction: text, options: Self.asOperator)
            }
            #expect(refused?.code == .invalidArgument)
            #expect(refused?.fields.map(\.field) == ["instruction"])
            #expect(chat.erasures(of: "session-1") == 0)
        }
    }

    @Test("the controller sees the instruction: in the certificate, its list, and the signed statement")
    func controllerSees() async throws {
        try await withSession { retention, _ in
            let text = #"Ärende 2026/17, "gallra" \ 2026-02-03"#
            let certificate = try await retention.erase(
                "session-1", instruction: "  \(text) ", options: Self.asOperator)
            #expect(certificate.requester == .operatorOnInstruction)
            #expect(certificate.instruction == text)
            #expect(try await retention.certificate(of: "session-1") == certificate)
            #expect(
                try await retention.certificates(
                    of: "org-north", options: RunningRetention.asAdministrator()
                ).certificates == [certificate])
            let statement = try ErasureStatement(reading: certificate.statement)
            #expect(statement.trigger == .manual)
            #expect(statement.requester?.instruction?.text == text)
            let key = try #require(try await retention.ledgerKey())
            #expect(CertificateVerifier.verify(Certificate(certificate), key: key) == nil)
        }
    }

    @Test("an administrator needs no instruction, may name none, and stands in the certificate")
    func administrator() async throws {
        try await withSession { retention, _ in
            let refused = try await status { try await retention.erase("session-1", instruction: "Ärende 1") }
            #expect(refused?.fields.map(\.field) == ["instruction"])
            let certificate = try await retention.erase("session-1")
            #expect(certificate.requester == .administrator)
            #expect(certificate.instruction.isEmpty)
            // Asked for again by the operator: what was certified stays.
            #expect(
                try await retention.erase("session-1", instruction: "Ärende 1", options: Self.asOperator)
                    == certificate)
        }
    }

    @Test("an erasure that is interrupted keeps who asked for it and why, across a restart")
    func survivesRestart() async throws {
        try await withFolder { folder in
            let chat = ChatPeer()
            try await withRetention(in: folder, schedules: false) { retention in
                try await retention.record()
                try await retention.open("session-1")
                try await retention.end("session-1")
                // Chat is not there.
                try await expectRefusal(.unavailable) {
                    try await retention.erase("session-1", instruction: "Ärende 9", options: Self.asOperator)
                }
            }
            chat.add("session-1", state: .ended, questions: Questions.some)
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await eventually("certified") { try await retention.isCertified("session-1") }
                    let certificate = try await retention.certificate(of: "session-1")
                    #expect(certificate.requester == .operatorOnInstruction)
                    #expect(certificate.instruction == "Ärende 9")
                }
            }
        }
    }

    @Test("an automatic erasure was asked for by nobody")
    func automatic() async throws {
        try await withSession { retention, _ in
            retention.clock.advance(by: 40 * 86_400)
            try await retention.assembly.eraser.destroyDueKeys()
            let certificate = Certificate(
                statement: try await retention.assembly.eraser.resume("session-1").statement, signature: [], keyID: "")
            #expect(try ErasureStatement(reading: certificate.statement).requester == nil)
            #expect(try await retention.certificate(of: "session-1").requester == .unspecified)
        }
    }
}

import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("The command line, where it touches content")
struct ProcessorTests {
    private typealias Ran = (status: Int32, printed: String)

    private func run(_ samtal: RunningSamtal, _ arguments: [String], tokens: String) async throws -> Ran {
        try await ChildProcess.run(
            "samtal", arguments + ["--data", samtal.data], environment: ["SAMTAL_TOKEN_FILE": tokens])
    }

    /// A session with one question that has ended.
    private func endedSession(_ organisation: TestOrganisation, in samtal: RunningSamtal) async throws -> String {
        let session = try await organisation.openSession(in: samtal)
        let participant = try await samtal.join(session)
        _ = try await samtal.chat.askQuestion(
            .init(sessionID: session, text: "Vad kostar det?", requestID: "request-1"), options: participant)
        _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
        return session
    }

    @Test("without a sign-in nothing is exported, erased or set; with one it is, and after signing out no more")
    func signedIn() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await endedSession(organisation, in: samtal)
            let (tokens, log) = ("\(samtal.folder)/kept/sign-in.json", "\(samtal.folder)/session.zip")
            try FileManager.default.createDirectory(
                atPath: "\(samtal.folder)/kept", withIntermediateDirectories: false)
            let commands = [
                ["policy", "set", organisation.organisationID, "7"],
                ["export", session, "--output", log],
                ["erase", session, "--confirm", session, "--output", "\(samtal.folder)/certificate.json"],
            ]
            for command in commands {
                let ran = try await run(samtal, command, tokens: tokens)
                #expect(ran.status == 1)
                #expect(ran.printed.contains("samtal sign-in"), "\(command): \(ran.printed)")
            }
            #expect(!FileManager.default.fileExists(atPath: log))

            try await samtal.signInCommandLine(as: "anna@example.se", keeping: tokens)
            let attributes = try FileManager.default.attributesOfItem(atPath: tokens)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let kept = try String(contentsOfFile: tokens, encoding: .utf8)
            for name in ["Anna", "anna@example.se"] { #expect(!kept.contains(name)) }
            for command in commands {
                let ran = try await run(samtal, command, tokens: tokens)
                #expect(ran.status == 0, "\(command): \(ran.printed)")
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: log)).starts(with: Data("PK".utf8)))

            #expect(try await run(samtal, ["sign-out"], tokens: tokens).status == 0)
            #expect(!FileManager.default.fileExists(atPath: tokens))
            try kept.write(toFile: tokens, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokens)
            // The tokens of a copy that somebody made are over, too.
            try expire(tokens)
            let after = try await run(samtal, commands[0], tokens: tokens)
            #expect(after.status == 1)
            #expect(after.printed.contains("Sign in again"), "\(after.printed)")
        }
    }

    @Test("an access token that has expired is renewed by one of several commands at once, and the sign-in lives on")
    func refreshed() async throws {
        try await RunningSamtal.with([.identity, .retention]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let tokens = "\(samtal.folder)/sign-in.json"
            try await samtal.signInCommandLine(as: "anna@example.se", keeping: tokens)
            for round in 1...2 {
                try expire(tokens)
                let before = try String(contentsOfFile: tokens, encoding: .utf8)
                try await withThrowingTaskGroup(of: Ran.self) { group in
                    for days in 3...6 {
                        group.addTask {
                            try await run(
                                samtal, ["policy", "set", organisation.organisationID, "\(days)"], tokens: tokens)
                        }
                    }
                    for try await ran in group { #expect(ran.status == 0, "round \(round): \(ran.printed)") }
                }
                #expect(try String(contentsOfFile: tokens, encoding: .utf8) != before)
            }
        }
    }

    @Test("a sign-in's file that others can read, that is a link or no sign-in at all is not used")
    func badFiles() async throws {
        try await RunningSamtal.with([.identity, .retention]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let tokens = "\(samtal.folder)/sign-in.json"
            try await samtal.signInCommandLine(as: "anna@example.se", keeping: tokens)
            let command = ["policy", "set", organisation.organisationID, "7"]
            let link = "\(samtal.folder)/link.json"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: tokens)
            #expect(try await run(samtal, command, tokens: link).printed.contains("no regular file"))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: tokens)
            #expect(try await run(samtal, command, tokens: tokens).printed.contains("open to other users"))
            for content in [
                "", "{}", "[1]", #"{"format":"samtal-sign-in","access_token":"a\r\nsamtal-role: operator"}"#,
            ] {
                try Data(content.utf8).write(to: URL(fileURLWithPath: tokens))
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokens)
                let ran = try await run(samtal, command, tokens: tokens)
                #expect(ran.status == 1)
                #expect(ran.printed.contains("holds no sign-in"), "\(ran.printed)")
            }
            let code = try await ChildProcess.run(
                "/bin/sh",
                [
                    "-c", "echo wrong | \"$0\" sign-in --data \"$1\" --token-file \"$2\"",
                    "\(ChildProcess.folder)/samtal", samtal.data, tokens,
                ])
            #expect(code.status == 1)
            #expect(code.printed.contains("code is not valid"), "\(code.printed)")
        }
    }

    @Test("the operator erases on an instruction that is named, and everything that tells of the erasure says so")
    func onInstruction() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await endedSession(organisation, in: samtal)
            let (certificate, key) = ("\(samtal.folder)/certificate.json", "\(samtal.folder)/key.json")
            let nobody = "\(samtal.folder)/nobody.json"
            let erase = ["erase", session, "--confirm", session, "--output", certificate]
            let blank = try await run(samtal, erase + ["--instruction", " "], tokens: nobody)
            #expect(blank.status == 1)
            #expect(blank.printed.contains("instruction"), "\(blank.printed)")

            let ran = try await run(samtal, erase + ["--instruction", "Ärende 2026/17"], tokens: nobody)
            #expect(ran.status == 0)
            #expect(ran.printed.contains("on instruction: Ärende 2026/17"), "\(ran.printed)")
            #expect(try await run(samtal, ["ledger-key", "--output", key], tokens: nobody).status == 0)
            let verified = try await ChildProcess.run("samtal", ["verify", certificate, "--key", key])
            let inSwedish = try await ChildProcess.run(
                "samtal", ["verify", certificate, "--key", key, "--language", "sv"])
            #expect(inSwedish.printed.contains("platser överskrivna") && inSwedish.printed.contains("1 fil borttagen"))
            // Another program, with a public library alone, says the same; of a changed certificate too.
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("Scripts/verify-certificate.py").path
            let checked = try await ChildProcess.run("/usr/bin/python3", [script, certificate, key])
            #expect(checked.status == 0 && checked.printed.hasSuffix("VALID\n"), "\(checked.printed)")
            let forged = certificate + ".forged"
            let text = try String(contentsOfFile: certificate, encoding: .utf8)
            try text.replacingOccurrences(of: "manual", with: "automatic").write(
                toFile: forged, atomically: true, encoding: .utf8)
            let refused = try await ChildProcess.run("/usr/bin/python3", [script, forged, key])
            #expect(refused.status == 1 && refused.printed.contains("NOT VALID"), "\(refused.printed)")
            #expect(verified.status == 0)
            #expect(
                verified.printed.contains("the operator, on the instruction “Ärende 2026/17”"), "\(verified.printed)")
            let listed = try await samtal.retention.listCertificates(
                .init(organisationID: organisation.organisationID), options: organisation.administrator)
            #expect(listed.certificates.map(\.instruction) == ["Ärende 2026/17"])
        }
    }

    @Test("a process with every role that says it acts as the operator is given neither titles, texts nor keys")
    func actingAsOperator() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let options = CallOptions(metadata: ["samtal-role": "operator"], timeout: .seconds(20))
            await expectStatus(.permissionDenied) {
                try await samtal.chat.getSession(.init(sessionID: session), options: options)
            }
            await expectStatus(.permissionDenied) {
                try await samtal.chat.listQuestions(.init(sessionID: session), options: options)
            }
            await expectStatus(.permissionDenied) {
                for try await _ in samtal.chat.watchSession(.init(sessionID: session), options: options) {}
            }
            await expectStatus(.permissionDenied) {
                for try await _ in samtal.chat.readSessionLog(.init(sessionID: session), options: options) {}
            }
            await expectStatus(.permissionDenied) {
                for try await _ in samtal.retention.exportSession(.init(sessionID: session), options: options) {}
            }
            await expectStatus(.permissionDenied) {
                try await samtal.retention.getSessionKey(.init(sessionID: session), options: options)
            }
        }
    }

    /// Makes the kept access token one that is to be renewed.
    private func expire(_ path: String) throws {
        let url = URL(fileURLWithPath: path)
        var kept = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        kept["access_token_expiry"] = 1
        try JSONSerialization.data(withJSONObject: kept).write(to: url)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}

import Contracts
import Foundation
import RPC
import RetentionCore

extension DemoStage {
    /// What a session held when it ended.
    struct Kept {
        var questions: Int
        var answers: Int
    }

    /// Compares what was kept, and what the follower saw, with the transcript.
    func end(_ session: String, expecting transcript: Transcript, seenLive: Int) async throws -> Kept {
        let ended: ChatV1.Session = try await http.get("/v1/sessions/\(session)", as: administrator)
        guard let deletion = ended.deleteTime?.date else { throw CommandFailure("The session has no time of erasure.") }
        try say("ended        will be erased by itself on \(deletion.formatted(.iso8601)) at the latest")
        var kept = Kept(questions: 0, answers: 0)
        var pageToken = ""
        repeat {
            let page: ChatV1.ListQuestionsResponse = try await http.get(
                "/v1/sessions/\(session)/questions?pageSize=50&pageToken=\(pageToken)", as: administrator)
            kept.questions += page.questions.count
            kept.answers += page.questions.reduce(0) { $0 + $1.answers.count }
            pageToken = page.nextPageToken
        } while !pageToken.isEmpty
        try say(
            "kept         \(kept.questions) questions, \(kept.answers) answers; \(seenLive) seen live by a follower")
        guard kept.questions == transcript.entries.count, seenLive == transcript.published else {
            throw CommandFailure(
                "That is not what was asked: \(transcript.entries.count), \(transcript.published) published.")
        }
        return kept
    }

    func export(_ session: String, to file: URL) async throws {
        let archive = try await http.send("GET", "/v1/sessions/\(session)/export", body: nil, as: administrator)
        try await OutputFile.write(to: file.path, readableBy: .owner) { try $0.write(archive) }
        try say("exported     \(file.path), \(archive.count) bytes: session.json, questions.csv, manifest.json")
    }

    /// The operator is a processor: neither a session's title nor its log is theirs to read.
    static func expectNoContent(of session: String, services: Connection) async throws {
        func isRefused(_ call: () async throws -> Void) async throws -> Bool {
            do {
                try await call()
                return false
            } catch let error as RPCError where error.code == .permissionDenied {
                return true
            }
        }
        let refusals = [
            try await isRefused { _ = try await services.chat.getSession(.init(sessionID: session)) },
            try await isRefused {
                for try await _ in services.retention.exportSession(.init(sessionID: session)) {}
            },
        ]
        guard refusals == [true, true] else { throw CommandFailure("The operator was given what the session holds.") }
        try say("operator     is refused the session's title and its export")
    }

    func erase(_ session: String, expecting kept: Kept) async throws -> Certificate {
        let message: RetentionV1.Certificate = try await http.post(
            "/v1/sessions/\(session):erase", RetentionV1.EraseSessionRequest(confirmSessionID: session),
            as: administrator)
        let certificate = Certificate(message)
        guard let statement = try? ErasureStatement(reading: certificate.statement),
            let counts = statement.evidence.content.counts, counts.questions == Int64(kept.questions),
            counts.answers == Int64(kept.answers)
        else { throw CommandFailure("The certificate does not count what was kept.") }
        let (keys, content) = (statement.evidence.keys, statement.evidence.content)
        try say(
            "erased       \(keys.slots) key slots overwritten on \(keys.medium), \(content.files) file\(content.files == 1 ? "" : "s") "
                + "unlinked; "
                + "certificate \(message.sequence) written")
        return certificate
    }

    func expectGone(_ session: String) async throws {
        let paths = ["/v1/sessions/\(session)", "/v1/sessions/\(session)/questions", "/v1/sessions/\(session)/export"]
        for path in paths {
            let (status, _) = try await http.answer("GET", path, body: nil, as: administrator)
            guard status == 404 else { throw CommandFailure("\(path) still answers, with \(status).") }
        }
        try say("gone         session, questions and export answer 404, to its administrator too")
    }
}

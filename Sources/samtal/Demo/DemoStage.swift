import Contracts
import Foundation
import RPC
import RetentionCore

/// The demo's administrator and participants, and what each does.
struct DemoStage {
    let http: DemoHTTP
    let services: Connection
    let administrator: DemoHTTP.Caller

    /// The address of the first administrator of the first organisation.
    static func administrator(services: Connection) async throws -> String {
        let organisations = try await services.identity.listOrganisations(.init(pageSize: 1))
        guard let organisation = organisations.organisations.first else {
            throw CommandFailure("There is no organisation yet. Create one with samtal organisation create.")
        }
        let administrators = try await services.identity.listAdministrators(
            .init(organisationID: organisation.organisationID, pageSize: 1))
        guard let administrator = administrators.administrators.first else {
            throw CommandFailure("\(organisation.displayName) has no administrator yet; samtal administrator add.")
        }
        return administrator.email
    }

    /// Signs the administrator in, as the one-time link does it.
    static func signedIn(with code: String, http: DemoHTTP, services: Connection) async throws -> DemoStage {
        let signedIn: IdentityV1.SignInResponse = try await http.post(
            "/v1/sign-in", IdentityV1.SignInRequest(code: code))
        try say("signed in    an administrator of \(signedIn.organisationDisplayName), by one-time code")
        return DemoStage(http: http, services: services, administrator: .administrator(token: signedIn.accessToken))
    }

    /// Fetched before anything is erased: what is to prove an erasure must not come with it.
    func ledgerKey() async throws -> LedgerPublicKey {
        let message: RetentionV1.LedgerKey = try await http.get("/v1/ledger-key")
        guard let key = LedgerPublicKey(bytes: message.publicKey) else {
            throw CommandFailure("The ledger's key is no Ed25519 key.")
        }
        return key
    }

    func createSession(title: String) async throws -> String {
        let session: ChatV1.Session = try await http.post(
            "/v1/sessions", ChatV1.CreateSessionRequest(title: title), as: administrator)
        try say("created      session \(session.sessionID), kept \(session.retentionDays) days after its end at most")
        return session.sessionID
    }

    /// Opens the session and plays every entry, while a follower watches the public feed over gRPC.
    ///
    /// - Returns: how many published questions the follower saw.
    func play(_ transcript: Transcript, in session: String) async throws -> Int {
        let _: ChatV1.Session = try await http.post(
            "/v1/sessions/\(session):open", ChatV1.OpenSessionRequest(), as: administrator)
        let chat = services.chat
        async let seen = Self.follow(session, through: chat)
        for (index, entry) in transcript.entries.enumerated() {
            try await play(entry, host: transcript.host, in: session)
            if (index + 1).isMultiple(of: 10) || index + 1 == transcript.entries.count {
                try say("asked        \(index + 1) of \(transcript.entries.count)")
            }
        }
        let _: ChatV1.Session = try await http.post(
            "/v1/sessions/\(session):end", ChatV1.EndSessionRequest(), as: administrator)
        return try await seen
    }

    private func play(_ entry: Transcript.Entry, host: String, in session: String) async throws {
        let joined: ChatV1.JoinSessionResponse = try await http.post(
            "/v1/sessions/\(session):join", ChatV1.JoinSessionRequest(displayName: entry.name))
        let question: ChatV1.Question = try await http.post(
            "/v1/sessions/\(session)/questions",
            ChatV1.AskQuestionRequest(text: entry.question, requestID: UUID().uuidString),
            as: .participant(token: joined.participantToken))
        let path = "/v1/sessions/\(session)/questions/\(question.questionID)"
        if entry.isRejected {
            let _: ChatV1.Question = try await http.post(
                "\(path):reject", ChatV1.RejectQuestionRequest(), as: administrator)
        } else if let answer = entry.answer {
            let _: ChatV1.Question = try await http.post(
                "\(path):answer",
                ChatV1.AnswerQuestionRequest(text: answer, hostName: host, requestID: UUID().uuidString),
                as: administrator)
        } else {
            let _: ChatV1.Question = try await http.post(
                "\(path):publish", ChatV1.PublishQuestionRequest(), as: administrator)
        }
    }

    /// Follows the public feed until the session has ended; counts the questions it was shown.
    private static func follow(_ session: String, through chat: ChatV1.ChatServiceClient) async throws -> Int {
        var questions: Set<String> = []
        for try await event in chat.watchSession(.init(sessionID: session)) {
            switch event.change {
            case .question(let question): questions.insert(question.questionID)
            case .session(let session) where session.state == .ended: return questions.count
            default: break
            }
        }
        return questions.count
    }
}

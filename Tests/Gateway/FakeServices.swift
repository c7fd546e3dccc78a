import Contracts
import Foundation
import NIOCore
import Privacy
import RPC
import ServiceKit
import Synchronization

/// Chat as far as the gateway's tests need it: one session with an event log that tests write to.
final class FakeChat: Sendable {
    struct State {
        var epoch = FeedEpoch("0123456789abcdef") ?? .none
        var session = ChatV1.Session(
            sessionID: "s1", organisationID: "o1", title: "Budget", state: .open, retentionDays: 30)
        var events: [ChatV1.SessionEvent] = []
        /// Those that are there; they share their events.
        var sessions: Set<String> = ["s1"]
        /// Whose they are; those that are not named are o1's.
        var owners: [String: String] = [:]
        var watches = 0
        var finishedWatches = 0
        var watchRequests: [ChatV1.WatchSessionRequest] = []
        var watchMetadata: [Metadata] = []
        var calls: [(path: String, metadata: Metadata)] = []
        var asked: [ChatV1.AskQuestionRequest] = []
        var joined: [ChatV1.JoinSessionRequest] = []
        var listed: [ChatV1.ListQuestionsRequest] = []
        /// Thrown by every call, and ends every watch.
        var failure: RPCError?
        /// Ends the watches there are, once.
        var breaks = 0
    }

    let state = Mutex(State())
    let lists = FakeLists()

    func add(_ change: ChatV1.SessionEvent.Change) {
        state.withLock { $0.events.append(.init(change: change)) }
    }

    func addQuestion(_ id: String, _ text: String = "Varför?") {
        add(.question(.init(questionID: id, sessionID: "s1", state: .published, text: text)))
    }

    func fail(_ error: RPCError?) { state.withLock { $0.failure = error } }

    /// Goes back to fewer events, under another epoch, as a store that was restored; and breaks the watches.
    func restore(to count: Int) {
        state.withLock { state in
            state.events = Array(state.events.prefix(count))
            state.epoch = .random()
            state.breaks += 1
        }
    }

    func breakWatches() { state.withLock { $0.breaks += 1 } }

    private func note(_ call: ServerCall) throws(RPCError) {
        let failure = state.withLock { state in
            state.calls.append((call.method.path, call.metadata))
            return state.failure
        }
        if let failure { throw failure }
    }

    var handlers: [MethodHandler] {
        typealias Methods = ChatV1.ChatServiceMethods
        return [
            .unary(Methods.getSession) { (request: ChatV1.GetSessionRequest, call) in
                try self.note(call)
                return try self.state.withLock { state throws(RPCError) in
                    guard state.sessions.contains(request.sessionID) else {
                        throw RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND")
                    }
                    var session = state.session
                    session.sessionID = request.sessionID
                    session.organisationID = state.owners[request.sessionID] ?? session.organisationID
                    return session
                }
            },
            .unary(Methods.joinSession) { (request: ChatV1.JoinSessionRequest, call) in
                try self.note(call)
                self.state.withLock { $0.joined.append(request) }
                return ChatV1.JoinSessionResponse(
                    session: self.state.withLock { $0.session }, participantToken: "token")
            },
            .unary(Methods.askQuestion) { (request: ChatV1.AskQuestionRequest, call) in
                try self.note(call)
                self.state.withLock { $0.asked.append(request) }
                return ChatV1.Question(
                    questionID: "q-new", sessionID: request.sessionID, state: .pending, text: request.text)
            },
            .unary(Methods.listQuestions) { (request: ChatV1.ListQuestionsRequest, call) in
                try self.note(call)
                self.state.withLock { $0.listed.append(request) }
                await self.lists.page()
                return ChatV1.ListQuestionsResponse()
            },
            .serverStreaming(Methods.watchSession) { (request: ChatV1.WatchSessionRequest, writer, call) in
                try self.note(call)
                try await self.watch(request, writer: writer, call: call)
            },
        ]
    }

    private func watch(
        _ request: ChatV1.WatchSessionRequest, writer: ResponseWriter<ChatV1.SessionEvent>, call: ServerCall
    ) async throws {
        guard state.withLock({ $0.sessions.contains(request.sessionID) }) else {
            throw RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND")
        }
        let breaks = state.withLock { state in
            state.watches += 1
            state.watchRequests.append(request)
            state.watchMetadata.append(call.metadata)
            return state.breaks
        }
        defer { state.withLock { $0.finishedWatches += 1 } }
        let seen = FeedPosition(request.position)
        if seen == nil, !request.position.isEmpty { throw RPCError.invalid("position", "is none") }
        let epoch = state.withLock { $0.epoch }
        let isReset = seen.map { $0.epoch != epoch } ?? false
        if isReset { try await writer.send(.init(change: .reset(true))) }
        var next = isReset ? 0 : Int(seen?.sequence ?? 0)
        func position(_ sequence: Int) -> String { FeedPosition(epoch: epoch, sequence: Int64(sequence)).text }
        var hasCaughtUp = false
        while true {
            let (events, failure, isBroken) = state.withLock {
                (Array($0.events.dropFirst(next)), $0.failure, $0.breaks != breaks)
            }
            if let failure { throw failure }
            if isBroken { throw RPCError(.outOfRange, "resume", reason: "RESUME") }
            for event in events {
                next += 1
                try await writer.send(.init(position: position(next), change: event.change))
            }
            if !hasCaughtUp {
                hasCaughtUp = true
                try await writer.send(.init(position: position(next), change: .caughtUp(true)))
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Identity and retention, in the few calls that tests make.
final class FakeOthers: Sendable {
    struct State {
        var refreshes = 0
        var chunks = 3
        var chunkBytes = 10
        var sentChunks = 0
        var failure: RPCError?
        var policies: [RetentionV1.SetPolicyRequest] = []
        var confirmations: [RetentionV1.ConfirmAgreementRequest] = []
    }

    let state = Mutex(State())

    var identityHandlers: [MethodHandler] {
        [
            .unary(IdentityV1.IdentityServiceMethods.signIn) { (request: IdentityV1.SignInRequest, _) in
                guard request.code == "right" else {
                    throw RPCError(.unauthenticated, "the code is not valid", reason: "CODE_INVALID")
                }
                return IdentityV1.SignInResponse(accessToken: "access", refreshToken: "refresh")
            },
            .unary(IdentityV1.IdentityServiceMethods.createSignInCode) { (_: IdentityV1.CreateSignInCodeRequest, _) in
                IdentityV1.SignInCode(code: "right")
            },
        ]
    }

    var retentionHandlers: [MethodHandler] {
        [
            .serverStreaming(RetentionV1.RetentionServiceMethods.exportSession) {
                (request: RetentionV1.ExportSessionRequest, writer, _) in
                let (chunks, size, failure) = self.state.withLock { ($0.chunks, $0.chunkBytes, $0.failure) }
                if let failure { throw failure }
                for number in 0..<chunks {
                    try await writer.send(
                        RetentionV1.ExportChunk(data: [UInt8](repeating: UInt8(number & 0xff), count: size)))
                    self.state.withLock { $0.sentChunks += 1 }
                }
            },
            .unary(RetentionV1.RetentionServiceMethods.previewPolicy) {
                (request: RetentionV1.PreviewPolicyRequest, _) in
                RetentionV1.RetentionPreview(
                    organisationID: request.organisationID, retentionDays: request.retentionDays, erasedSessions: 1,
                    sessions: [.init(sessionID: "s1", erasedAtOnce: true)])
            },
            .unary(RetentionV1.RetentionServiceMethods.previewAgreement) {
                (request: RetentionV1.PreviewAgreementRequest, _) in
                RetentionV1.RetentionPreview(organisationID: request.organisationID, agreementVersion: 2)
            },
            .unary(RetentionV1.RetentionServiceMethods.confirmAgreement) {
                (request: RetentionV1.ConfirmAgreementRequest, _) in
                self.state.withLock { $0.confirmations.append(request) }
                return RetentionV1.Agreement(
                    organisationID: request.organisationID, version: request.agreementVersion)
            },
            .unary(RetentionV1.RetentionServiceMethods.setPolicy) { (request: RetentionV1.SetPolicyRequest, _) in
                let failure = self.state.withLock { state in
                    state.policies.append(request)
                    return state.failure
                }
                if let failure { throw failure }
                return RetentionV1.Policy(
                    organisationID: request.organisationID, retentionDays: request.retentionDays, version: 2)
            },
        ]
    }
}

import Contracts
import Foundation
import Logging
import NIOPosix
import Privacy
import RPC
import Synchronization

/// Retention as chat sees it: a real server on a real socket, with its keys in memory. Tests stop and start it, and
/// decide what it answers.
final class RetentionPeer: RetentionV1.RetentionServiceHandler {
    struct State: Sendable {
        var organisations: Set<String> = [Organisation.a, Organisation.b]
        var retentionDays: UInt32 = 7
        var keys: [String: SessionKey] = [:]
        var tokenKeys: [String: SessionKey] = [:]
        var keyVersions: [String: UInt32] = [:]
        var nextKeys: [String: SessionKey] = [:]
        /// Whether changes of keys are refused, from which step on.
        var refusesToBegin = false
        var refusesToFinish = false
        /// Sessions that it has a certificate of.
        var certified: Set<String> = []
        var erased: Set<String> = []
        /// What `EndSession` answers instead of nothing.
        var deleteTime: Date?
        var ends: [String: [Date]] = [:]
        /// Whether organisations have as many sessions as they may.
        var isFull = false
        var keyFetches = 0
        /// What is answered when chat asks until when sessions may be kept.
        var deadlines: [String: (days: UInt32, deleteTime: Date?)] = [:]
        /// How many sessions each of those calls asked about.
        var deadlineCalls: [Int] = []
    }

    let socketPath: String
    let state = Mutex(State())
    private let server = Mutex<RPCServer?>(nil)
    private let logger: Logger

    init(socketPath: String, logger: Logger) {
        self.socketPath = socketPath
        self.logger = logger
    }

    func start() async throws {
        let server = RPCServer(
            configuration: RPCServer.Configuration(socketPath: socketPath), handlers: handlers, health: HealthService(),
            logger: logger, group: .singleton)
        try await server.start()
        self.server.withLock { $0 = server }
    }

    func stop() async {
        let server = self.server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutDown()
    }

    /// Destroys a session's key, as an erasure begins.
    func destroyKey(of sessionID: String) {
        state.withLock { state in
            state.keys[sessionID] = nil
            state.erased.insert(sessionID)
        }
    }

    func openSession(
        _ request: RetentionV1.OpenSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try state.withLock { state in
            guard state.organisations.contains(request.organisationID) else {
                throw RPCError(.failedPrecondition, "the organisation has no agreement", reason: "NO_AGREEMENT")
            }
            guard !state.isFull else {
                throw RPCError(.resourceExhausted, "the organisation has too many sessions", reason: "SESSION_LIMIT")
            }
            guard !state.erased.contains(request.sessionID) else { throw Self.notFound }
            if state.keys[request.sessionID] == nil {
                state.keys[request.sessionID] = .random()
                state.tokenKeys[request.sessionID] = .random()
                state.keyVersions[request.sessionID] = 1
            }
            return try Self.answer(request.sessionID, state)
        }
    }

    private static func answer(_ id: String, _ state: State) throws -> RetentionV1.SessionKey {
        guard let key = state.keys[id], let tokenKey = state.tokenKeys[id], let version = state.keyVersions[id] else {
            throw notFound
        }
        return RetentionV1.SessionKey(
            sessionID: id, organisationID: "", key: key.bytes, retentionDays: state.retentionDays,
            tokenKey: tokenKey.bytes, keyVersion: version, nextKey: state.nextKeys[id]?.bytes ?? [])
    }

    private static func refuse(_ isRefusing: Bool) throws {
        if isRefusing { throw RPCError(.unavailable, "not now") }
    }

    func withdrawSession(
        _ request: RetentionV1.WithdrawSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.WithdrawSessionResponse {
        state.withLock { state in
            state.keys[request.sessionID] = nil
            return RetentionV1.WithdrawSessionResponse()
        }
    }

    func beginKeyChange(
        _ request: RetentionV1.BeginKeyChangeRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try state.withLock { state in
            try Self.refuse(state.refusesToBegin)
            guard state.keyVersions[request.sessionID] == request.keyVersion else { throw Self.otherVersion }
            if state.nextKeys[request.sessionID] == nil { state.nextKeys[request.sessionID] = .random() }
            return try Self.answer(request.sessionID, state)
        }
    }

    func finishKeyChange(
        _ request: RetentionV1.FinishKeyChangeRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try state.withLock { state in
            try Self.refuse(state.refusesToFinish)
            if state.keyVersions[request.sessionID] != request.keyVersion {
                guard let next = state.nextKeys.removeValue(forKey: request.sessionID) else { throw Self.otherVersion }
                state.keys[request.sessionID] = next
                state.keyVersions[request.sessionID] = request.keyVersion
            }
            return try Self.answer(request.sessionID, state)
        }
    }

    func getSessionKey(
        _ request: RetentionV1.GetSessionKeyRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try state.withLock { state in
            state.keyFetches += 1
            return try Self.answer(request.sessionID, state)
        }
    }

    func endSession(
        _ request: RetentionV1.EndSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.EndSessionResponse {
        try state.withLock { state in
            guard state.keys[request.sessionID] != nil else { throw Self.notFound }
            guard let endTime = request.endTime else { throw RPCError.invalid("end_time", "must be set") }
            state.ends[request.sessionID, default: []].append(endTime.date)
            return RetentionV1.EndSessionResponse(deleteTime: state.deleteTime.map(GoogleProtobuf.Timestamp.init))
        }
    }

    func getSessionDeadlines(
        _ request: RetentionV1.GetSessionDeadlinesRequest, call: ServerCall
    ) async throws -> RetentionV1.GetSessionDeadlinesResponse {
        state.withLock { state in
            state.deadlineCalls.append(request.sessionIDs.count)
            return RetentionV1.GetSessionDeadlinesResponse(
                deadlines: request.sessionIDs.compactMap { id in
                    state.deadlines[id].map { deadline in
                        RetentionV1.SessionDeadline(
                            sessionID: id, retentionDays: deadline.days,
                            deleteTime: deadline.deleteTime.map(GoogleProtobuf.Timestamp.init))
                    }
                }, erasedSessionIDs: request.sessionIDs.filter(state.certified.contains))
        }
    }

    private static let otherVersion = RPCError(
        .failedPrecondition, "another key is in use", reason: "KEY_VERSION")
    private static let notFound = RPCError(.notFound, "session: not found", reason: "SESSION_NOT_FOUND")
}

/// What chat never calls.
extension RetentionPeer {
    private static let unused = RPCError(.unimplemented, "not part of this test")

    func recordAgreement(
        _ request: RetentionV1.RecordAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement { throw Self.unused }

    func getAgreement(
        _ request: RetentionV1.GetAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement { throw Self.unused }

    func previewAgreement(
        _ request: RetentionV1.PreviewAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.RetentionPreview { throw Self.unused }

    func confirmAgreement(
        _ request: RetentionV1.ConfirmAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement { throw Self.unused }

    func previewPolicy(
        _ request: RetentionV1.PreviewPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.RetentionPreview { throw Self.unused }

    func setPolicy(
        _ request: RetentionV1.SetPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.Policy { throw Self.unused }

    func getPolicy(
        _ request: RetentionV1.GetPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.Policy { throw Self.unused }

    func eraseSession(
        _ request: RetentionV1.EraseSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.Certificate { throw Self.unused }

    func exportSession(
        _ request: RetentionV1.ExportSessionRequest, writer: ResponseWriter<RetentionV1.ExportChunk>, call: ServerCall
    ) async throws { throw Self.unused }

    func getCertificate(
        _ request: RetentionV1.GetCertificateRequest, call: ServerCall
    ) async throws -> RetentionV1.Certificate { throw Self.unused }

    func listCertificates(
        _ request: RetentionV1.ListCertificatesRequest, call: ServerCall
    ) async throws -> RetentionV1.ListCertificatesResponse { throw Self.unused }

    func getLedgerKey(
        _ request: RetentionV1.GetLedgerKeyRequest, call: ServerCall
    ) async throws -> RetentionV1.LedgerKey { throw Self.unused }

    func getLedgerState(
        _ request: RetentionV1.GetLedgerStateRequest, call: ServerCall
    ) async throws -> RetentionV1.LedgerState { throw Self.unused }

    func acceptLedgerAnchor(
        _ request: RetentionV1.AcceptLedgerAnchorRequest, call: ServerCall
    ) async throws -> RetentionV1.LedgerState { throw Self.unused }
}

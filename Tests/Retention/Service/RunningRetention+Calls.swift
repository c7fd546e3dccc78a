import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore

/// The calls of the tests, in short.
extension RunningRetention {
    @discardableResult
    func record(organisation: String = "org-north", cap: UInt32 = 30) async throws -> RetentionV1.Agreement {
        var request = RetentionV1.RecordAgreementRequest()
        request.organisationID = organisation
        request.kind = .standard
        request.reference = "DPA 2026-1"
        request.signedDate = "2026-01-15"
        request.capDays = cap
        return try await client.recordAgreement(request, options: Self.asOperator)
    }

    @discardableResult
    func setPolicy(
        _ days: UInt32, erasing expected: UInt32 = 0, shown version: String = "", confirmsZeroDays: Bool = false,
        organisation: String = "org-north", options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.Policy {
        try await client.setPolicy(
            .init(
                organisationID: organisation, retentionDays: days, expectedErasures: expected,
                confirmZeroDays: confirmsZeroDays, previewVersion: version),
            options: options)
    }

    func previewPolicy(
        _ days: UInt32, organisation: String = "org-north", options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.RetentionPreview {
        try await client.previewPolicy(.init(organisationID: organisation, retentionDays: days), options: options)
    }

    func previewAgreement(
        of organisation: String = "org-north", options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.RetentionPreview {
        try await client.previewAgreement(.init(organisationID: organisation), options: options)
    }

    @discardableResult
    func confirmAgreement(
        version: UInt32, erasing expected: UInt32 = 0, shown preview: String = "", organisation: String = "org-north",
        options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.Agreement {
        try await client.confirmAgreement(
            .init(
                organisationID: organisation, agreementVersion: version, expectedErasures: expected,
                previewVersion: preview),
            options: options)
    }

    func agreement(
        of organisation: String = "org-north", options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.Agreement {
        try await client.getAgreement(.init(organisationID: organisation), options: options)
    }

    func deadlines(of sessions: [String]) async throws -> [RetentionV1.SessionDeadline] {
        try await client.getSessionDeadlines(.init(sessionIDs: sessions), options: Self.asChat).deadlines
    }

    func policy(
        of organisation: String = "org-north", options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.Policy {
        var request = RetentionV1.GetPolicyRequest()
        request.organisationID = organisation
        return try await client.getPolicy(request, options: options)
    }

    @discardableResult
    func open(
        _ session: String, organisation: String = "org-north", maxDays: UInt32 = 30
    ) async throws -> RetentionV1.SessionKey {
        var request = RetentionV1.OpenSessionRequest()
        request.maxDays = maxDays
        request.sessionID = session
        request.organisationID = organisation
        return try await client.openSession(request, options: Self.asChat)
    }

    func key(of session: String) async throws -> RetentionV1.SessionKey {
        var request = RetentionV1.GetSessionKeyRequest()
        request.sessionID = session
        return try await client.getSessionKey(request, options: Self.asChat)
    }

    func beginKeyChange(of session: String, from version: UInt32) async throws -> RetentionV1.SessionKey {
        try await client.beginKeyChange(.init(sessionID: session, keyVersion: version), options: Self.asChat)
    }

    @discardableResult
    func finishKeyChange(of session: String, to version: UInt32) async throws -> RetentionV1.SessionKey {
        try await client.finishKeyChange(.init(sessionID: session, keyVersion: version), options: Self.asChat)
    }

    func withdraw(_ session: String) async throws {
        _ = try await client.withdrawSession(.init(sessionID: session), options: Self.asChat)
    }

    /// - Returns: the time of erasure.
    @discardableResult
    func end(_ session: String, at time: Date? = nil, questions: UInt64 = 0) async throws -> Date? {
        var request = RetentionV1.EndSessionRequest()
        request.sessionID = session
        request.endTime = GoogleProtobuf.Timestamp(time ?? clock.now())
        request.questionCount = questions
        return try await client.endSession(request, options: Self.asChat).deleteTime?.date
    }

    @discardableResult
    func erase(
        _ session: String, confirm: String? = nil, instruction: String = "", options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.Certificate {
        var request = RetentionV1.EraseSessionRequest()
        request.instruction = instruction
        request.sessionID = session
        request.confirmSessionID = confirm ?? session
        return try await client.eraseSession(request, options: options)
    }

    func certificate(
        of session: String, options: CallOptions = asAdministrator()
    ) async throws -> RetentionV1.Certificate {
        var request = RetentionV1.GetCertificateRequest()
        request.sessionID = session
        return try await client.getCertificate(request, options: options)
    }

    func isCertified(_ session: String) async throws -> Bool {
        try await status { try await certificate(of: session, options: Self.asOperator) } == nil
    }

    func certificates(
        of organisation: String = "", size: UInt32 = 0, token: String = "", newestFirst: Bool = false,
        options: CallOptions = asOperator
    ) async throws -> RetentionV1.ListCertificatesResponse {
        var request = RetentionV1.ListCertificatesRequest()
        request.organisationID = organisation
        request.pageSize = size
        request.pageToken = token
        request.newestFirst = newestFirst
        return try await client.listCertificates(request, options: options)
    }

    func ledgerKey() async throws -> LedgerPublicKey? {
        let key = try await client.getLedgerKey(RetentionV1.GetLedgerKeyRequest(), options: Self.asAnyone)
        return LedgerPublicKey(bytes: key.publicKey)
    }

    /// - Returns: the chunks, in order.
    func export(_ session: String, options: CallOptions = asAdministrator()) async throws -> [[UInt8]] {
        var request = RetentionV1.ExportSessionRequest()
        request.sessionID = session
        var chunks: [[UInt8]] = []
        for try await chunk in client.exportSession(request, options: options) { chunks.append(chunk.data) }
        return chunks
    }
}

extension Certificate {
    init(_ message: RetentionV1.Certificate) {
        self.init(statement: message.statement, signature: message.signature, keyID: message.keyID)
    }
}

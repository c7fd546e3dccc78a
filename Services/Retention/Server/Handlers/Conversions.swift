import Contracts
import Foundation
import KeySlots
import Privacy
import RPC
import RetentionCore

extension AgreementKind {
    init?(_ kind: RetentionV1.AgreementKind) {
        switch kind {
        case .standard: self = .standard
        case .custom: self = .custom
        case .unspecified, .unrecognised: return nil
        }
    }
}

extension RetentionV1.Agreement {
    /// - Parameter isPending: whether sessions are kept for longer than its cap.
    init(_ agreement: Agreement, isPending: Bool) {
        self.init()
        organisationID = agreement.organisationID
        kind =
            switch agreement.kind {
            case .standard: .standard
            case .custom: .custom
            }
        reference = agreement.reference
        signedDate = agreement.signedDate.text
        capDays = UInt32(clamping: agreement.capDays)
        version = UInt32(clamping: agreement.version)
        confirmationPending = isPending
        confirmTime = agreement.confirmTime.map { GoogleProtobuf.Timestamp($0) }
    }
}

extension RetentionV1.Policy {
    init(_ policy: Policy) {
        self.init()
        organisationID = policy.organisationID
        retentionDays = UInt32(clamping: policy.retentionDays)
        version = UInt32(clamping: policy.version)
    }
}

extension RetentionV1.RetentionPreview {
    init(_ preview: RetentionPreview, under agreement: Agreement) {
        self.init()
        organisationID = agreement.organisationID
        retentionDays = UInt32(clamping: preview.retentionDays)
        agreementVersion = UInt32(clamping: agreement.version)
        unendedSessions = UInt32(clamping: preview.unended)
        movedSessions = UInt32(clamping: preview.moved)
        erasedSessions = UInt32(clamping: preview.erased)
        previewVersion = preview.version
        sessions = preview.sessions.map { session in
            RetentionV1.MovedSession(
                sessionID: session.id, endTime: GoogleProtobuf.Timestamp(session.endTime),
                deleteTime: GoogleProtobuf.Timestamp(session.deleteTime),
                newDeleteTime: GoogleProtobuf.Timestamp(session.newDeleteTime),
                erasedAtOnce: session.isErasedAtOnce)
        }
    }
}

extension RetentionV1.SessionDeadline {
    init(_ session: RetainedSession) {
        self.init(
            sessionID: session.id, retentionDays: UInt32(clamping: session.retentionDays),
            deleteTime: session.deleteTime.map { GoogleProtobuf.Timestamp($0) })
    }
}

extension RetentionV1.SessionKey {
    /// The message's copies of the keys are wiped as they are freed: see `ProcessSettings`.
    init(_ session: RetainedSession, _ keys: SessionKeys) {
        self.init()
        sessionID = session.id
        organisationID = session.organisationID
        key = keys.content.withUnsafeBytes { Array($0) }
        keyVersion = UInt32(clamping: keys.version)
        nextKey = keys.next?.withUnsafeBytes { Array($0) } ?? []
        tokenKey = keys.tokens.withUnsafeBytes { Array($0) }
        retentionDays = UInt32(clamping: session.retentionDays)
    }
}

extension RetentionV1.Certificate {
    /// The fields beside the statement are read from it.
    init(_ certificate: Certificate) throws {
        let statement = try ErasureStatement(reading: certificate.statement)
        self.init()
        sequence = UInt64(clamping: statement.sequence)
        organisationID = statement.organisationID
        sessionID = statement.sessionID
        trigger =
            switch statement.trigger {
            case .manual: .manual
            case .automatic: .automatic
            }
        requester =
            switch statement.requester {
            case .administrator: .administrator
            case .operator: .operatorOnInstruction
            case nil: .unspecified
            }
        instruction = statement.requester?.instruction?.text ?? ""
        eraseTime = GoogleProtobuf.Timestamp(statement.erasedTime)
        self.statement = certificate.statement
        signature = certificate.signature
        keyID = certificate.keyID
    }
}

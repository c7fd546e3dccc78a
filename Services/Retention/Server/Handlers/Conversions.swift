import Contracts
import Foundation
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
    init(_ agreement: Agreement) {
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

extension RetentionV1.SessionKey {
    init(_ session: RetainedSession, _ key: Privacy.SessionKey) {
        self.init()
        sessionID = session.id
        organisationID = session.organisationID
        self.key = key.bytes
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
        eraseTime = GoogleProtobuf.Timestamp(statement.erasedTime)
        self.statement = certificate.statement
        signature = certificate.signature
        keyID = certificate.keyID
    }
}

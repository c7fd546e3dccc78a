import RPC
import RetentionCore
import ServiceKit
import Storage
import StorageStatus

extension RPCError {
    /// The operator is a processor (GDPR Art. 28(3)(a)).
    static var instructionRequired: RPCError {
        let reason = "must name the controller's instruction; the operator erases on instruction only"
        return RPCError(
            .invalidArgument, "instruction: \(reason)", reason: "INSTRUCTION_REQUIRED",
            fields: [FieldViolation(field: "instruction", reason: reason)])
    }

    /// The status that a caller gets for an error of retention's.
    init(_ error: RetentionError) {
        switch error {
        case .invalidField(let field, let reason):
            self = .invalid(field, reason)
        case .organisationNotFound:
            self.init(.notFound, "organisation: not found", reason: "ORGANISATION_NOT_FOUND")
        case .agreementNotFound:
            self.init(.notFound, "agreement: not found", reason: "AGREEMENT_NOT_FOUND")
        case .agreementRequired:
            self.init(
                .failedPrecondition, "the organisation has no data-processing agreement", reason: "AGREEMENT_REQUIRED")
        case .tooManySessions:
            self.init(
                .resourceExhausted, "the organisation has too many sessions; erase some first", reason: "SESSION_LIMIT",
                metadata: [RPCError.boundKey: LongCallLimits.sessions])
        case .tooManyVersions(let bound, let most):
            self.init(
                .resourceExhausted, "as many versions as may be are on record for the organisation, \(most)",
                reason: "TOO_MANY_VERSIONS", metadata: [RPCError.boundKey: bound])
        case .agreementSuperseded(let latest):
            self.init(
                .failedPrecondition, "agreement_version: version \(latest) is in force", reason: "AGREEMENT_SUPERSEDED",
                fields: [FieldViolation(field: "agreement_version", reason: "version \(latest) is in force")])
        case .erasuresUnconfirmed(let expected, let actual):
            let reason = "is \(expected), and \(actual) would be erased at once"
            self.init(
                .failedPrecondition, "expected_erasures: \(reason)", reason: "ERASURES_UNCONFIRMED",
                fields: [FieldViolation(field: "expected_erasures", reason: reason)])
        case .previewOutdated:
            let reason = "is of other sessions than those that would be erased at once"
            self.init(
                .failedPrecondition, "preview_version: \(reason)", reason: "PREVIEW_OUTDATED",
                fields: [FieldViolation(field: "preview_version", reason: reason)])
        case .zeroDaysUnconfirmed:
            let reason = "must be true for 0 days: each session is erased the moment it ends"
            self.init(
                .failedPrecondition, "confirm_zero_days: \(reason)", reason: "ZERO_DAYS_UNCONFIRMED",
                fields: [FieldViolation(field: "confirm_zero_days", reason: reason)])
        case .sessionNotFound:
            self.init(.notFound, "session: not found", reason: "SESSION_NOT_FOUND")
        case .sessionOpen:
            self.init(.failedPrecondition, "session: is open; end it first", reason: "SESSION_OPEN")
        case .sessionInUse:
            self.init(.failedPrecondition, "session: is in use; erase it instead", reason: "SESSION_IN_USE")
        case .otherKeyVersion(let current):
            self.init(
                .failedPrecondition, "key_version: version \(current) is in use", reason: "KEY_VERSION",
                fields: [FieldViolation(field: "key_version", reason: "version \(current) is in use")])
        case .contentMissing(let asked):
            self.init(
                .dataLoss, "chat holds nothing of a session that had \(asked) questions: find its store",
                reason: "CONTENT_MISSING")
        case .keysMissing:
            self.init(
                .dataLoss, "no slot held a key of the session, so none was destroyed: find the folder of its keys",
                reason: "KEYS_MISSING")
        case .confirmationMismatch:
            self.init(
                .failedPrecondition, "confirm_session_id: must repeat the session's id",
                reason: "CONFIRMATION_MISMATCH",
                fields: [FieldViolation(field: "confirm_session_id", reason: "must repeat the session's id")])
        case .certificateNotFound:
            self.init(.notFound, "certificate: not found", reason: "CERTIFICATE_NOT_FOUND")
        case .keyLost:
            self.init(.dataLoss, "session: its key is missing", reason: "SESSION_KEY_MISSING")
        case .chatUnusable:
            self.init(.unavailable, "chat could not do its part", reason: "NEIGHBOUR_FAILED")
        case .ledgerAnchorUnusable(let condition):
            self.init(
                .failedPrecondition,
                "the ledger's anchor is \(condition.rawValue), so no certificate is signed; the operator has to see to it",
                reason: "LEDGER_ANCHOR")
        case .ledgerNumberTaken(let number):
            self.init(
                .failedPrecondition, "last_sequence: certificate \(number) is known here",
                reason: "LEDGER_NUMBER_TAKEN",
                fields: [FieldViolation(field: "last_sequence", reason: "certificate \(number) is known here")])
        case .ledgerAnchorUsable:
            self.init(.failedPrecondition, "the ledger has its anchor", reason: "LEDGER_ANCHOR_USABLE")
        case .backupUnderWay:
            self.init(
                .unavailable, "a backup is being taken, so no key is changed; try again when it is done",
                reason: "BACKUP_UNDER_WAY", retryAfter: .seconds(60))
        case .keyCopyNotRecorded:
            self.init(
                .failedPrecondition, "no copy of the keys is on record that is being taken now, or it took too long",
                reason: "KEY_COPY_NOT_RECORDED")
        case .tooManyExports(let bound):
            self.init(
                .resourceExhausted, "too many exports are under way; try again when one is done",
                reason: "TOO_MANY_EXPORTS", metadata: [RPCError.boundKey: bound], retryAfter: .seconds(5))
        case .tooManyErasures(let bound):
            self.init(
                .resourceExhausted, "too many erasures are under way; try again when one is done",
                reason: "TOO_MANY_ERASURES", metadata: [RPCError.boundKey: bound], retryAfter: .seconds(5))
        }
    }

    /// Runs what a handler does, and maps what it throws.
    static func mapping<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch { throw mapped(error) }
    }

    /// The one place where errors become statuses.
    static func mapped(_ error: any Error) -> any Error {
        switch error {
        case let error as RetentionError: RPCError(error)
        case let error as StorageError: RPCError(error, of: "retention") ?? error
        default: error
        }
    }
}

internal import ChatCore
internal import RPC
internal import ServiceKit
internal import Storage
internal import StorageStatus

/// The one place where what goes wrong in chat becomes a status.
enum Status {
    /// - Returns: A status; or the error itself, which the runtime answers with INTERNAL and logs by its type.
    static func of(_ error: any Error) -> any Error {
        switch error {
        case let error as ChatError: status(error)
        case let error as StorageError: RPCError(error, of: "chat") ?? error
        case is CancellationError: RPCError(.cancelled, "cancelled")
        default: error
        }
    }

    /// Runs what a method does, and throws a status for what that throws.
    static func answering<Answer>(_ work: () async throws -> Answer) async throws -> Answer {
        do {
            return try await work()
        } catch {
            throw of(error)
        }
    }

    static func status(_ error: ChatError) -> RPCError {
        var fields: [RPCError.FieldViolation] = []
        if error.code == .invalid {
            let problem = error.message.dropFirst(error.field.count + 2)
            fields = [RPCError.FieldViolation(field: error.field, reason: String(problem))]
        } else if !error.field.isEmpty {
            fields = [RPCError.FieldViolation(field: error.field, reason: error.message)]
        }
        let metadata = error.bound.isEmpty ? [:] : [RPCError.boundKey: error.bound]
        return RPCError(code(error.code), error.message, reason: error.reason, fields: fields, metadata: metadata)
    }

    private static func code(_ code: ChatError.Code) -> RPCError.Code {
        switch code {
        case .invalid: .invalidArgument
        case .notFound: .notFound
        case .forbidden: .permissionDenied
        case .wrongState: .failedPrecondition
        case .exhausted: .resourceExhausted
        case .resume: .outOfRange
        case .unavailable: .unavailable
        case .damaged: .dataLoss
        }
    }
}

/// A gRPC status other than OK: what a handler throws and what a caller catches.
///
/// Everything in it may be shown to whoever made the call, so it never holds personal data.
public struct RPCError: Error, Sendable, Equatable {
    /// The status codes of gRPC (`statuscodes.md`); OK is the absence of an error.
    public enum Code: Int, Sendable, Hashable, CaseIterable {
        case cancelled = 1
        case unknown
        case invalidArgument
        case deadlineExceeded
        case notFound
        case alreadyExists
        case permissionDenied
        case resourceExhausted
        case failedPrecondition
        case aborted
        case outOfRange
        case unimplemented
        case `internal`
        case unavailable
        case dataLoss
        case unauthenticated
    }

    /// One field of the request that was refused, and why (`google.rpc.BadRequest.FieldViolation`).
    public struct FieldViolation: Sendable, Equatable {
        /// The path of the field, such as `questions[2].text`.
        public var field: String
        /// What is wrong with it, as a phrase that can follow "field: ".
        public var reason: String

        public init(field: String, reason: String) {
            self.field = field
            self.reason = reason
        }
    }

    public var code: Code
    /// One sentence, safe to show.
    public var message: String
    /// A stable UPPER_SNAKE word a program can decide on (`google.rpc.ErrorInfo.reason`); "" when there is none.
    public var reason: String
    /// The fields that were refused (`google.rpc.BadRequest`).
    public var fields: [FieldViolation]
    /// Who defines the reason, such as a service's name (`google.rpc.ErrorInfo.domain`); "" when it goes without saying.
    public var domain: String
    /// What goes with the reason, such as the name of the bound that was reached (`google.rpc.ErrorInfo.metadata`).
    public var metadata: [String: String]
    /// How long to wait before the call is made again (`google.rpc.RetryInfo`, and gRPC's `grpc-retry-pushback-ms`);
    /// nil when nothing is known about it.
    public var retryAfter: Duration?

    public init(
        _ code: Code, _ message: String, reason: String = "", fields: [FieldViolation] = [], domain: String = "",
        metadata: [String: String] = [:], retryAfter: Duration? = nil
    ) {
        self.code = code
        self.message = message
        self.reason = reason
        self.fields = fields
        self.domain = domain
        self.metadata = metadata
        self.retryAfter = retryAfter
    }

    /// The reason of a request that is no encoding of its message: the caller's mistake, though its code is INTERNAL.
    public static let malformedRequest = "MALFORMED_REQUEST"

    /// INVALID_ARGUMENT for one field, with the message "field: reason" and the reason `INVALID_FIELD`.
    public static func invalid(_ field: String, _ reason: String) -> RPCError {
        RPCError(
            .invalidArgument, "\(field): \(reason)", reason: "INVALID_FIELD",
            fields: [FieldViolation(field: field, reason: reason)])
    }
}

extension RPCError: CustomStringConvertible {
    public var description: String {
        reason.isEmpty ? "\(code.name): \(message)" : "\(code.name): \(message) [\(reason)]"
    }
}

extension RPCError.Code {
    /// The name the specification gives the code, such as `NOT_FOUND`; used in logs and metrics.
    public var name: String {
        switch self {
        case .cancelled: "CANCELLED"
        case .unknown: "UNKNOWN"
        case .invalidArgument: "INVALID_ARGUMENT"
        case .deadlineExceeded: "DEADLINE_EXCEEDED"
        case .notFound: "NOT_FOUND"
        case .alreadyExists: "ALREADY_EXISTS"
        case .permissionDenied: "PERMISSION_DENIED"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .aborted: "ABORTED"
        case .outOfRange: "OUT_OF_RANGE"
        case .unimplemented: "UNIMPLEMENTED"
        case .internal: "INTERNAL"
        case .unavailable: "UNAVAILABLE"
        case .dataLoss: "DATA_LOSS"
        case .unauthenticated: "UNAUTHENTICATED"
        }
    }
}

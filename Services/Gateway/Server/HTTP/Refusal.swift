internal import GatewayCore
internal import HTTPTypes
internal import Hummingbird
internal import RPC
internal import ServiceKit

/// An answer that says no, on its way to whoever asked.
struct Refusal: Error {
    var status: Int
    var body: ErrorBody
    var headers: HTTPFields = [:]

    init(status: Int, _ body: ErrorBody, headers: HTTPFields = [:]) {
        self.status = status
        self.body = body
        self.headers = headers
    }

    init(_ error: RPCError) {
        status = StatusMapping.httpStatus(ofCode: error.code.rawValue)
        body = ErrorBody(
            code: StatusMapping.name(ofCode: error.code.rawValue), message: error.message, reason: error.reason,
            fields: error.fields.map { .init(field: $0.field, reason: $0.reason) },
            bound: error.metadata[RPCError.boundKey] ?? "")
        if let retryAfter = error.retryAfter { headers[.retryAfter] = Self.seconds(retryAfter) }
        // RFC 9110, section 11.6.1: a 401 says how to do better.
        if status == 401 { headers[.wwwAuthenticate] = "Bearer" }
    }
}

extension Refusal {
    static func invalid(_ field: String, _ reason: String) -> Refusal { Refusal(.invalid(field, reason)) }

    static let unknownPath = Refusal(RPCError(.notFound, "there is nothing at this path", reason: "PATH_NOT_FOUND"))

    static let internalError = Refusal(RPCError(.internal, "internal error"))

    /// - Parameter verbs: those that the path does have.
    static func verbNotAllowed(_ verbs: [String]) -> Refusal {
        let body = ErrorBody(
            code: "UNIMPLEMENTED", message: "this path has other methods", reason: "METHOD_NOT_ALLOWED")
        return Refusal(status: 405, body, headers: [.allow: verbs.joined(separator: ", ")])
    }

    /// RFC 9110, section 15.5.16: says what would be taken.
    static let notJSON = unsupported(
        "the body has to be application/json, and the request has to say so", [.accept: "application/json"])

    static let notUTF8 = unsupported("the body has to be JSON in UTF-8", [.accept: "application/json"])

    static let encoded = unsupported(
        "the body has to come without a content coding", [.acceptEncoding: "identity"])

    private static func unsupported(_ message: String, _ headers: HTTPFields) -> Refusal {
        Refusal(
            status: 415,
            ErrorBody(code: "INVALID_ARGUMENT", message: message, reason: "UNSUPPORTED_MEDIA_TYPE"),
            headers: headers)
    }

    /// A condition of the request (RFC 9110, section 13.1) does not hold.
    static let preconditionFailed = Refusal(
        status: 412,
        ErrorBody(
            code: "FAILED_PRECONDITION", message: "a condition of the request does not hold",
            reason: "PRECONDITION_FAILED"))

    static func tooLarge(limit: Int) -> Refusal {
        Refusal(
            status: 413,
            ErrorBody(
                code: "INVALID_ARGUMENT", message: "the body has more than \(limit) bytes", reason: "BODY_TOO_LARGE"))
    }

    static func tooOften(retryAfter wait: Duration) -> Refusal {
        Refusal(
            RPCError(
                .resourceExhausted, "too many requests", reason: "RATE_LIMITED", retryAfter: max(wait, .seconds(1))))
    }

    /// Whole seconds, never fewer: RFC 9110, section 10.2.3.
    private static func seconds(_ wait: Duration) -> String {
        String(wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0))
    }
}

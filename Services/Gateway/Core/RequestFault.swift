/// Why a request can't be taken up at all: what HTTP/1.1 itself obliges a server to refuse (RFC 9110, RFC 9112).
package enum RequestFault: Error, Sendable, Equatable {
    /// Not HTTP/1.1: a broken line, header or chunk, or an end amid a request.
    case malformed
    case hostMissing, hostRepeated, hostMalformed
    case targetMalformed, targetTooLong
    case headersTooLarge
    case methodUnknown
    case versionUnsupported
    /// `Transfer-Encoding` beside `Content-Length`, in HTTP/1.0, or with `chunked` not last.
    case framingAmbiguous
    case transferCodingUnknown
    case expectationUnknown
    /// The whole of it did not come in time.
    case tooSlow

    package var status: Int {
        switch self {
        case .malformed, .hostMissing, .hostRepeated, .hostMalformed, .targetMalformed, .framingAmbiguous: 400
        case .tooSlow: 408
        case .targetTooLong: 414
        case .expectationUnknown: 417
        case .headersTooLarge: 431
        case .methodUnknown, .transferCodingUnknown: 501
        case .versionUnsupported: 505
        }
    }

    /// Also a label of a metric: one of a few, and never what a client wrote.
    package var reason: String {
        switch self {
        case .malformed: "MALFORMED_HTTP"
        case .hostMissing: "HOST_MISSING"
        case .hostRepeated: "HOST_REPEATED"
        case .hostMalformed: "HOST_MALFORMED"
        case .targetMalformed: "TARGET_MALFORMED"
        case .targetTooLong: "TARGET_TOO_LONG"
        case .headersTooLarge: "HEADERS_TOO_LARGE"
        case .methodUnknown: "METHOD_NOT_IMPLEMENTED"
        case .versionUnsupported: "HTTP_VERSION_NOT_SUPPORTED"
        case .framingAmbiguous: "FRAMING_AMBIGUOUS"
        case .transferCodingUnknown: "TRANSFER_CODING_NOT_IMPLEMENTED"
        case .expectationUnknown: "EXPECTATION_FAILED"
        case .tooSlow: "REQUEST_TIMEOUT"
        }
    }

    package var message: String {
        switch self {
        case .malformed: "the request is not HTTP/1.1"
        case .hostMissing: "the request has no Host"
        case .hostRepeated: "the request has more than one Host"
        case .hostMalformed: "the request's Host is not a host with perhaps a port"
        case .targetMalformed: "the request's target is malformed"
        case .targetTooLong: "the request's target is too long (maximumTargetBytes)"
        case .headersTooLarge: "the request's headers are too large (maximumHeaderBytes, maximumHeaderCount)"
        case .methodUnknown: "the method is not implemented"
        case .versionUnsupported: "this server speaks HTTP/1.1"
        case .framingAmbiguous: "the request says in two ways where it ends"
        case .transferCodingUnknown: "of transfer codings only chunked is implemented"
        case .expectationUnknown: "the only expectation that is met is 100-continue"
        case .tooSlow: "the request took too long to arrive (requestTimeout)"
        }
    }

    /// The code of gRPC's that comes closest.
    package var code: String {
        switch self {
        case .methodUnknown, .transferCodingUnknown, .versionUnsupported: "UNIMPLEMENTED"
        case .tooSlow: "DEADLINE_EXCEEDED"
        default: "INVALID_ARGUMENT"
        }
    }

    package static let all: [RequestFault] = [
        .malformed, .hostMissing, .hostRepeated, .hostMalformed, .targetMalformed, .targetTooLong, .headersTooLarge,
        .methodUnknown, .versionUnsupported, .framingAmbiguous, .transferCodingUnknown, .expectationUnknown, .tooSlow,
    ]
}

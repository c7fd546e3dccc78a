internal import ProtobufC

/// What a response's headers and trailers say.
struct ResponseHeaders {
    private var httpStatus = 0
    private var isGRPC = false
    private var hasEncoding = false
    private var status: Int?
    private var message = ""
    private var details: [UInt8]?

    mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        switch name.first {
        case UInt8(ascii: ":"):
            if name == ":status" { httpStatus = value.decimal ?? 0 }
        case UInt8(ascii: "c"):
            if name == "content-type" { isGRPC = value.isGRPCContentType }
        case UInt8(ascii: "g"):
            if name == "grpc-status" {
                // A status that is no number is one nobody knows.
                status = value.decimal ?? RPCError.Code.unknown.rawValue
            } else if name == "grpc-message" {
                message = PercentEncoding.decode(value)
            } else if name == "grpc-status-details-bin" {
                details = Base64.decode(value)
            } else if name == "grpc-encoding" {
                hasEncoding = !(value == "identity")
            }
        default:
            break
        }
    }

    /// Whether it was a 1xx response, which precedes the real one (RFC 9110, 15.2).
    var isInformational: Bool { (100...199).contains(httpStatus) }

    mutating func forgetInformational() {
        if isInformational { self = ResponseHeaders() }
    }

    /// Why a response whose messages are to come can't be read.
    var refusal: RPCError? {
        guard httpStatus == 200 else { return RPCError(httpStatus: httpStatus) }
        guard isGRPC else { return RPCError(.unknown, "response: not of the type application/grpc") }
        if hasEncoding { return RPCError(.internal, "response: in an encoding that was not asked for") }
        return nil
    }

    /// The status of a response that is complete; nil for OK.
    var failure: RPCError? {
        guard let status else {
            return httpStatus == 200
                ? RPCError(.unknown, "the response ended without a status") : RPCError(httpStatus: httpStatus)
        }
        return status == 0 ? nil : RPCError(status: status, message: message, details: details)
    }
}

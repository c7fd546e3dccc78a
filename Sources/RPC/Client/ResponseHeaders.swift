internal import ProtobufC

/// What a response's headers and trailers say.
struct ResponseHeaders {
    /// What the server says about trying again (gRFC A6, "Pushback").
    enum Pushback: Sendable, Equatable {
        case none
        case after(Duration)
        case never
    }

    private enum Encoding {
        case identity
        case gzip
        case unknown
    }

    /// Informational responses accepted before the real one.
    static let maxInformational = 16

    /// Names and values of one block as HTTP/2 counts them (RFC 9113, 6.5.2).
    var size = 0
    private var httpStatus = 0
    private var isGRPC = false
    private var encoding = Encoding.identity
    private var status: Int?
    private var message = ""
    private var details: [UInt8]?
    private(set) var pushback = Pushback.none
    private var informational = 0

    /// Takes a header of HTTP/2's or gRPC's own; false when it is the server's metadata.
    mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        // A message is kept as it is, spaces around it and all (gRPC over HTTP/2, "Status-Message").
        if name == "grpc-message" {
            message = PercentEncoding.decode(value)
            return true
        }
        let value = value.trimmed
        switch name.first {
        case UInt8(ascii: ":"):
            if name == ":status" { httpStatus = value.decimal ?? 0 }
            return true
        case UInt8(ascii: "c"):
            guard name == "content-type" else { return name == "content-length" }
            isGRPC = value.isGRPCContentType
            return true
        case UInt8(ascii: "g"):
            guard name.hasPrefix("grpc-") else { return false }
            takeOwn(name: name, value: value)
            return true
        default:
            return false
        }
    }

    private mutating func takeOwn(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if name == "grpc-status" {
            // A status that is no number is one nobody knows.
            status = value.decimal ?? RPCError.Code.unknown.rawValue
        } else if name == "grpc-status-details-bin" {
            details = Base64.decode(value)
        } else if name == "grpc-encoding" {
            encoding = value == "identity" ? .identity : value == "gzip" ? .gzip : .unknown
        } else if name == "grpc-retry-pushback-ms" {
            // What is no number of milliseconds asks not to try again.
            pushback = value.decimal.map { .after(.milliseconds($0)) } ?? .never
        }
    }

    /// Whether it was a 1xx response, which precedes the real one (RFC 9110, 15.2).
    var isInformational: Bool { (100...199).contains(httpStatus) }

    /// Forgets an informational response; false when there were too many.
    mutating func forgetInformational() -> Bool {
        let count = informational + 1
        self = ResponseHeaders()
        informational = count
        return count <= ResponseHeaders.maxInformational
    }

    /// Messages follow: a status before them says nothing, it belongs after.
    mutating func forgetStatus() {
        guard status != nil || pushback != .none else { return }
        status = nil
        message = ""
        details = nil
        pushback = .none
    }

    /// Whether messages may come in gzip.
    var allowsCompressed: Bool { encoding == .gzip }

    /// Why a response whose messages are to come can't be read.
    var refusal: RPCError? {
        guard httpStatus == 200 else { return RPCError(httpStatus: httpStatus) }
        guard isGRPC else { return RPCError(.unknown, "response: not of the type application/grpc") }
        if encoding == .unknown { return RPCError(.internal, "response: in an encoding that was not asked for") }
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

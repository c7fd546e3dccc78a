/// What a request's headers say that isn't the caller's own metadata.
struct RequestHeaders {
    /// Names and values as HTTP/2 counts them (RFC 9113, 6.5.2).
    var size = 0
    /// Bytes of the body that wait in memory.
    var buffered = 0
    /// The header block has been looked at.
    var areComplete = false
    private(set) var timeout: Duration?
    /// Messages may be compressed (`grpc-encoding: gzip`).
    private(set) var isGzip = false
    /// Responses may be.
    private(set) var acceptsGzip = false
    /// The one request of a call came compressed.
    var isRequestCompressed = false
    /// A pair of the caller's metadata has a name or a value that metadata can't have.
    var hasInvalidMetadata = false
    private var isPost = false
    private var isGRPC = false
    private var hasBadTimeout = false
    private var hasUnknownEncoding = false

    /// Why a request is refused, and how: in HTTP's terms when it isn't gRPC at all.
    enum Refusal {
        case status(RPCError, extra: Metadata)
        case http(status: StaticString)
    }

    /// Takes a header of HTTP/2's or gRPC's own; false when it belongs to the caller's metadata.
    ///
    /// The user agent is dropped with them: nothing here may depend on it, and it tells about people.
    mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        switch name.first {
        case UInt8(ascii: ":"):
            if name == ":method" { isPost = value == "POST" }
            return true
        case UInt8(ascii: "c"):
            if name == "content-type" {
                isGRPC = value.isGRPCContentType
                return true
            }
            return name == "content-length"
        case UInt8(ascii: "g"):
            guard name.hasPrefix("grpc-") else { return false }
            return takeOwn(name: name, value: value)
        case UInt8(ascii: "t"):
            return name == "te"
        case UInt8(ascii: "u"):
            return name == "user-agent"
        case UInt8(ascii: "a"):
            return name == "accept-encoding"
        default:
            return false
        }
    }

    private mutating func takeOwn(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        if name == "grpc-timeout" {
            timeout = Timeout.parse(value)
            hasBadTimeout = timeout == nil
        } else if name == "grpc-encoding" {
            isGzip = value == "gzip"
            hasUnknownEncoding = !isGzip && !(value == "identity")
        } else if name == "grpc-accept-encoding" {
            acceptsGzip = value.listsGzip
        } else if !(name == "grpc-message-type") {
            // Reserved names that mean nothing here, such as grpc-trace-bin, are the application's to look at.
            return false
        }
        return true
    }

    /// Nil for a request that may go on.
    func refusal(limit: Int) -> Refusal? {
        if size > limit {
            let error = RPCError(
                .resourceExhausted, "metadata: longer than \(limit) bytes", reason: "METADATA_TOO_LARGE")
            return .status(error, extra: [:])
        }
        // RFC 9110, 15.5.6 and 15.5.16; the latter is what gRPC asks for.
        guard isPost else { return .http(status: "405") }
        guard isGRPC else { return .http(status: "415") }
        if hasBadTimeout { return .status(RPCError(.invalidArgument, "grpc-timeout: malformed"), extra: [:]) }
        if hasUnknownEncoding {
            return .status(
                RPCError(.unimplemented, "grpc-encoding: only identity and gzip are supported"),
                extra: ["grpc-accept-encoding": "identity,gzip"])
        }
        if hasInvalidMetadata {
            return .status(
                RPCError(.invalidArgument, "metadata: a name or value with characters it can't have"), extra: [:])
        }
        return nil
    }
}

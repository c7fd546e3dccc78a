/// What a request's headers say that isn't the caller's own metadata, and whether they keep HTTP/2's rules
/// (``RequestFault``).
///
/// nghttp2 would look at the rules as well, but refuses some of what is right on a Unix socket: an `:authority` that is
/// a path.
struct RequestHeaders {
    /// What becomes of a name and its value.
    enum Pair {
        /// HTTP/2's or gRPC's own, or one that nothing is made of.
        case own
        /// The value of `:path`.
        case path
        /// The caller's metadata, with what is kept of the value.
        case metadata(UnsafeRawBufferPointer)
    }

    /// Names and values as HTTP/2 counts them (RFC 9113, 6.5.2).
    var size = 0
    /// Bytes of the body that wait in memory.
    var buffered = 0
    /// The header block has been looked at: what comes now is trailers.
    var areComplete = false
    private(set) var timeout: Duration?
    /// Messages may be compressed (`grpc-encoding: gzip`).
    private(set) var isGzip = false
    /// Responses may be.
    private(set) var acceptsGzip = false
    /// The one request of a call came compressed.
    var isRequestCompressed = false
    /// The first of HTTP/2's rules that the request broke.
    private(set) var fault: RequestFault?
    /// What HTTP/2 wants to know of a request.
    private var rules = RequestRules()
    private var isGRPC = false
    private var hasBadTimeout = false
    private var hasUnknownEncoding = false

    /// Why a request is refused, and how: in HTTP's terms when it isn't gRPC at all.
    enum Refusal {
        case status(RPCError, extra: Metadata)
        case http(status: StaticString)
    }

    /// Takes a pair of the headers or, once those are complete, of the trailers.
    ///
    /// The user agent is dropped: nothing here may depend on it, and it tells about people.
    mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Pair {
        if !value.isPrintable, value.breaksField { return broken(.value) }
        if name.first == UInt8(ascii: ":") { return takePseudoHeader(name, value) }
        rules.isPastPseudoHeaders = true
        if areComplete { return takeTrailer(name, value) }
        switch name.first {
        case UInt8(ascii: "c"):
            if name == "content-type" {
                isGRPC = value.trimmed.isGRPCContentType
                return .own
            }
            if name == "content-length" { return takeLength(value) }
        case UInt8(ascii: "g"):
            if name.hasPrefix("grpc-"), takeOwn(name, value.trimmed) { return .own }
        case UInt8(ascii: "t"):
            if name == "te" { return takeTE(value) }
        case UInt8(ascii: "u"):
            if name == "user-agent" { return .own }
        case UInt8(ascii: "a"):
            if name == "accept-encoding" { return .own }
        case UInt8(ascii: "h"):
            if name == "host" { return rules.takeHost() ? .own : broken(.pseudoHeader) }
        default: break
        }
        return takeMetadata(name, value)
    }

    private mutating func takePseudoHeader(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Pair {
        guard !areComplete, let taken = rules.takePseudoHeader(name, value) else { return broken(.pseudoHeader) }
        return taken == .path ? .path : .own
    }

    /// The path names no method here; it may still be no path at all.
    mutating func tookUnknownPath(_ path: UnsafeRawBufferPointer) {
        if !rules.takeUnknownPath(path) { _ = broken(.pseudoHeader) }
    }

    private mutating func takeOwn(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
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

    private mutating func takeTE(_ value: UnsafeRawBufferPointer) -> Pair {
        value.trimmed.isTrailers ? .own : broken(.te)
    }

    private mutating func takeLength(_ value: UnsafeRawBufferPointer) -> Pair {
        rules.takeLength(value.trimmed) ? .own : broken(.contentLength)
    }

    private mutating func takeMetadata(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Pair {
        guard name.isMetadataName else { return takeOddName(name) }
        if name.isOfConnection { return broken(.connectionHeader) }
        guard let kept = value.metadataValue else { return .own }
        return .metadata(kept)
    }

    /// A name that HTTP may know and gRPC doesn't: left out.
    private mutating func takeOddName(_ name: UnsafeRawBufferPointer) -> Pair {
        name.isToken && name.isLowerCase ? .own : broken(.name)
    }

    /// Trailers must not be merged into the headers (RFC 9110, 6.5.1), and say nothing that is wanted here.
    private mutating func takeTrailer(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Pair {
        if name == "te" { return takeTE(value) }
        if name == "content-length" { return takeLength(value) }
        if name.isOfConnection { return broken(.connectionHeader) }
        return takeOddName(name)
    }

    /// Takes down the first rule that is broken.
    private mutating func broken(_ fault: RequestFault) -> Pair {
        if self.fault == nil { self.fault = fault }
        return .own
    }

    // MARK: The message as a whole

    /// Which of HTTP/2's rules the header block breaks, now that it is complete.
    mutating func completed() -> RequestFault? {
        areComplete = true
        if fault == nil, !rules.areSatisfied { fault = .pseudoHeader }
        return fault
    }

    /// Which of them trailers break.
    mutating func trailersCompleted(endOfStream: Bool) -> RequestFault? {
        if !endOfStream { _ = broken(.trailers) }
        return fault
    }

    /// Counts bytes of the body; true when there are more than was said.
    mutating func exceedsLength(_ count: Int) -> Bool {
        guard rules.hasLength else { return false }
        return rules.exceedsLength(count)
    }

    /// The body is over; whether there is less of it than was said.
    var missesLength: Bool { rules.hasLength && rules.missesLength }

    /// Nil for a request that may go on.
    func refusal(limit: Int) -> Refusal? {
        if size > limit {
            let error = RPCError(
                .resourceExhausted, "metadata: longer than \(limit) bytes", reason: "METADATA_TOO_LARGE")
            return .status(error, extra: [:])
        }
        // RFC 9110, 15.5.6 and 15.5.16; the latter is what gRPC asks for.
        guard rules.isPost else { return .http(status: "405") }
        guard isGRPC else { return .http(status: "415") }
        // statuscodes.md leaves INVALID_ARGUMENT to services.
        if hasBadTimeout { return .status(RPCError(.internal, "grpc-timeout: malformed"), extra: [:]) }
        if hasUnknownEncoding {
            return .status(
                RPCError(.unimplemented, "grpc-encoding: only identity and gzip are supported"),
                extra: ["grpc-accept-encoding": "identity,gzip"])
        }
        return nil
    }
}

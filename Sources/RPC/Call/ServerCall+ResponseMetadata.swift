/// The pairs that a handler or an interceptor has set.
struct ResponseMetadataPair: Sendable {
    /// Sent with the response headers.
    var initial = Metadata()
    /// Sent after the responses, with the status.
    var trailers = Metadata()

    /// Bytes of either, as HTTP/2 counts them. With a status of the longest (``RPCError/longestStatus``), that is less
    /// than the 64 KiB that nghttp2 sends. Many callers read no more than 8 KiB.
    static let longest = 32 * 1024

    var canBeSent: Bool {
        initial.listSize <= ResponseMetadataPair.longest && trailers.listSize <= ResponseMetadataPair.longest
    }
}

/// Apart, so that a call that sets none, as most do, has a place of one word for it.
indirect enum BoxedResponseMetadata: Sendable {
    case metadata(ResponseMetadataPair)
}

/// What goes along with the responses. Safe from any task.
///
/// Names are made lower case. A name that metadata can't have or may not use is left out: one with other characters
/// than letters, digits, `-`, `_` and `.`, and those that belong to gRPC and HTTP/2 (``Metadata/isReserved(_:)``). A
/// value is printable ASCII, without spaces around it; the value of a name that ends in `-bin` is any bytes. More than
/// 32 KiB before the responses or after them, with 32 bytes more for each pair, can't be sent: the call ends with INTERNAL.
extension ServerCall {
    /// Sets a pair that is sent with the response headers, in place of any with that name. It must be set before the
    /// first response (or ``ResponseWriter/sendHeaders()``); later it has no effect.
    public func setInitialMetadata(_ name: String, _ value: String) {
        change(name) { $0.initial.replace(name, value) }
    }

    /// As ``setInitialMetadata(_:_:)``, for bytes. The name ends in `-bin`; the suffix is added when it doesn't.
    public func setInitialMetadata(_ name: String, binary value: [UInt8]) {
        let name = Metadata.binaryName(name)
        change(name) { metadata in
            metadata.initial.remove(name)
            metadata.initial.addBinary(name, value)
        }
    }

    /// As ``setInitialMetadata(_:_:)``, beside any with the same name.
    public func addInitialMetadata(_ name: String, _ value: String) {
        change(name) { $0.initial.add(name, value) }
    }

    /// As ``setInitialMetadata(_:binary:)``, beside any with the same name.
    public func addInitialMetadata(_ name: String, binary value: [UInt8]) {
        change(name) { $0.initial.addBinary(name, value) }
    }

    /// Sets a pair that is sent after the responses, with the status, in place of any with that name.
    public func setTrailer(_ name: String, _ value: String) {
        change(name) { $0.trailers.replace(name, value) }
    }

    /// As ``setTrailer(_:_:)``, for bytes. The name ends in `-bin`; the suffix is added when it doesn't.
    public func setTrailer(_ name: String, binary value: [UInt8]) {
        let name = Metadata.binaryName(name)
        change(name) { metadata in
            metadata.trailers.remove(name)
            metadata.trailers.addBinary(name, value)
        }
    }

    /// As ``setTrailer(_:_:)``, beside any with the same name.
    public func addTrailer(_ name: String, _ value: String) {
        change(name) { $0.trailers.add(name, value) }
    }

    /// As ``setTrailer(_:binary:)``, beside any with the same name.
    public func addTrailer(_ name: String, binary value: [UInt8]) {
        change(name) { $0.trailers.addBinary(name, value) }
    }

    /// The pairs set so far for the response headers.
    public var initialMetadata: Metadata { responseMetadata?.initial ?? Metadata() }

    /// The pairs set so far for after the responses.
    public var trailers: Metadata { responseMetadata?.trailers ?? Metadata() }

    /// Has the responses sent from now on compressed in gzip, or not; by default as the server is configured
    /// (``RPCServer/Configuration/responseCompression``).
    ///
    /// Without effect when the caller doesn't accept gzip, or when the headers of a stream were sent without having
    /// announced it: set it before the first response. A message that gzip would not make shorter is sent as it is.
    public func setCompression(_ on: Bool) {
        compression.set(on)
    }

    private func change(_ name: String, _ change: (inout ResponseMetadataPair) -> Void) {
        guard Metadata.isAllowed(name) else { return }
        changeResponseMetadata(change)
    }
}

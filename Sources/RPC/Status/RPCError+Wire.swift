internal import ProtobufC

/// How a status travels: `grpc-status`, `grpc-message`, and its details as a `google.rpc.Status` in
/// `grpc-status-details-bin`.
extension RPCError {
    private static let typePrefix = "type.googleapis.com/"

    /// Bytes of a status on its way, message and details together: a header block that is longer than a caller reads
    /// would not reach it at all, and many read no more than 8 KiB.
    static let longestStatus = 6 * 1024

    /// The trailers that say this status.
    var trailers: Metadata {
        var trailers = Metadata()
        trailers.add("grpc-status", String(code.rawValue))
        let text = PercentEncoding.encode(message, limit: RPCError.longestStatus)
        if !text.isEmpty { trailers.add("grpc-message", text) }
        if hasDetails, let details = encodedDetails(limit: RPCError.longestStatus - text.utf8.count) {
            trailers.add("grpc-status-details-bin", details)
        }
        // gRFC A6: clients that retry by themselves look at this one.
        if let retryAfter { trailers.add("grpc-retry-pushback-ms", String(RPCError.milliseconds(retryAfter))) }
        return trailers
    }

    private var hasInfo: Bool { !reason.isEmpty || !domain.isEmpty || !metadata.isEmpty }
    private var hasDetails: Bool { hasInfo || !fields.isEmpty || retryAfter != nil }

    /// The details in base64, without the fields if there is no room for them; nil when there is none for the rest.
    private func encodedDetails(limit: Int) -> String? {
        let encoded = Base64.unpadded(details.serialized())
        if encoded.utf8.count <= limit { return encoded }
        guard !fields.isEmpty else { return nil }
        var rest = self
        rest.fields = []
        return rest.hasDetails ? rest.encodedDetails(limit: limit) : nil
    }

    private var details: GoogleRPC.Status {
        var status = GoogleRPC.Status(code: Int32(code.rawValue), message: message.withoutNUL)
        if hasInfo {
            // Sorted, so that the same error is the same bytes.
            let entries = metadata.sorted { $0.key < $1.key }.map {
                GoogleRPC.ErrorInfo.Entry(key: $0.key.withoutNUL, value: $0.value.withoutNUL)
            }
            status.details.append(
                RPCError.pack(
                    GoogleRPC.ErrorInfo(reason: reason.withoutNUL, domain: domain.withoutNUL, metadata: entries)))
        }
        if !fields.isEmpty {
            let violations = fields.map {
                GoogleRPC.BadRequest.FieldViolation(
                    field: $0.field.withoutNUL, description: $0.reason.withoutNUL)
            }
            status.details.append(RPCError.pack(GoogleRPC.BadRequest(fieldViolations: violations)))
        }
        if let retryAfter {
            status.details.append(RPCError.pack(GoogleRPC.RetryInfo(retryDelay: .init(clamping: retryAfter))))
        }
        return status
    }

    /// The status that a peer sent. Details that can't be read are left out: the code and the message still hold.
    init(status: Int, message: String, details: [UInt8]?) {
        self.init(Code(rawValue: status) ?? .unknown, message)
        guard let details, let decoded = try? GoogleRPC.Status(serialized: details) else { return }
        for detail in decoded.details {
            if let info = RPCError.unpack(GoogleRPC.ErrorInfo.self, from: detail) {
                reason = info.reason
                domain = info.domain
                metadata = Dictionary(info.metadata.map { ($0.key, $0.value) }) { _, last in last }
            } else if let request = RPCError.unpack(GoogleRPC.BadRequest.self, from: detail) {
                fields += request.fieldViolations.map { FieldViolation(field: $0.field, reason: $0.description) }
            } else if let retry = RPCError.unpack(GoogleRPC.RetryInfo.self, from: detail) {
                retryAfter = retry.retryDelay?.duration
            }
        }
    }

    private static func pack<Message: ProtobufMessage>(_ message: Message) -> GoogleProtobuf.`Any` {
        GoogleProtobuf.`Any`(typeURL: typePrefix + Message.descriptor.name, value: message.serialized())
    }

    private static func unpack<Message: ProtobufMessage>(
        _ type: Message.Type, from packed: GoogleProtobuf.`Any`
    ) -> Message? {
        // Only what follows the last slash names the type; the host before it doesn't matter
        // (google/protobuf/any.proto).
        guard packed.typeURL.split(separator: "/").last.map(String.init) == Message.descriptor.name else { return nil }
        return try? Message(serialized: packed.value)
    }
}

extension String {
    /// A NUL is in no text of a message (ProtobufC), and would cost the reader all the details.
    fileprivate var withoutNUL: String { utf8.contains(0) ? filter { $0 != "\0" } : self }
}

extension RPCError {
    /// In whole milliseconds, never less; what 32 bits can say at most.
    fileprivate static func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = max(duration, .zero).components
        guard seconds < Int64(Int32.max) / 1000 else { return .max }
        return Int32(seconds) * 1000 + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

extension GoogleProtobuf.Duration {
    /// The longest that google/protobuf/duration.proto lets one be, in seconds.
    private static let longest: Int64 = 315_576_000_000

    /// Between nothing and the longest there is.
    fileprivate init(clamping duration: Swift.Duration) {
        let (seconds, attoseconds) = max(duration, .zero).components
        self.init(
            seconds: min(seconds, Self.longest),
            nanos: seconds < Self.longest ? Int32(attoseconds / 1_000_000_000) : 0)
    }

    /// Nil when it is negative or not as duration.proto wants it.
    fileprivate var duration: Swift.Duration? {
        guard (0...Self.longest).contains(seconds), (0...999_999_999).contains(nanos) else { return nil }
        return .seconds(seconds) + .nanoseconds(Int64(nanos))
    }
}

extension RPCError {
    /// The status of a response that carries none, from its HTTP status (gRPC, `http-grpc-status-mapping.md`).
    init(httpStatus: Int) {
        let code: Code =
            switch httpStatus {
            case 400: .internal
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        self.init(code, "the response has HTTP status \(httpStatus) and no gRPC status")
    }

    /// The status of a stream that the peer reset, from HTTP/2's error code (gRPC over HTTP/2, "Errors").
    init(resetCode: UInt32) {
        switch HTTP2ErrorCode(rawValue: resetCode) {
        case .refusedStream: self.init(.unavailable, "the server refused the stream")
        case .cancel: self.init(.cancelled, "the server cancelled the stream")
        case .enhanceYourCalm: self.init(.resourceExhausted, "the server asks for fewer calls")
        case .inadequateSecurity: self.init(.permissionDenied, "the server refused the connection's security")
        case .none?, .protocolError, .internalError, nil:
            self.init(.internal, "the server reset the stream with HTTP/2 error \(resetCode)")
        }
    }
}

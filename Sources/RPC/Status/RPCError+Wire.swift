internal import ProtobufC

/// How a status travels: `grpc-status`, `grpc-message`, and its details as a `google.rpc.Status` in
/// `grpc-status-details-bin`.
extension RPCError {
    private static let typePrefix = "type.googleapis.com/"

    /// The trailers that say this status.
    var trailers: Metadata {
        var trailers = Metadata()
        trailers.add("grpc-status", String(code.rawValue))
        if !message.isEmpty { trailers.add("grpc-message", PercentEncoding.encode(message)) }
        if !reason.isEmpty || !fields.isEmpty { trailers.addBinary("grpc-status-details-bin", details.serialized()) }
        return trailers
    }

    private var details: GoogleRPC.Status {
        // A NUL is in no text of a message (ProtobufC), and would cost the reader all the details.
        let text = message.utf8.contains(0) ? message.filter { $0 != "\0" } : message
        var status = GoogleRPC.Status(code: Int32(code.rawValue), message: text)
        if !reason.isEmpty {
            status.details.append(RPCError.pack(GoogleRPC.ErrorInfo(reason: reason)))
        }
        if !fields.isEmpty {
            let violations = fields.map {
                GoogleRPC.BadRequest.FieldViolation(field: $0.field, description: $0.reason)
            }
            status.details.append(RPCError.pack(GoogleRPC.BadRequest(fieldViolations: violations)))
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
            } else if let request = RPCError.unpack(GoogleRPC.BadRequest.self, from: detail) {
                fields += request.fieldViolations.map { FieldViolation(field: $0.field, reason: $0.description) }
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
        case .none?, nil: self.init(.internal, "the server reset the stream with HTTP/2 error \(resetCode)")
        }
    }
}

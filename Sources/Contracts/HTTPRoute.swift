public import ProtobufC
public import RPC

/// How one method is reached over HTTP.
public struct HTTPRoute: Sendable {
    /// How the answers of a server-streaming method are carried.
    public enum Stream: Sendable {
        /// Server-Sent Events; the message's `sequence` becomes the event's id.
        case events
        /// A download: the messages' `data`, one after the other.
        case file
    }

    /// GET, POST, PUT or DELETE.
    public var verb: String
    /// The template, as in `/v1/sessions/{session_id}:open`. A name in braces is a field of the request.
    public var path: String
    public var method: MethodDescriptor
    public var request: ProtobufDescriptor
    public var response: ProtobufDescriptor
    /// `nil` for a unary method, which answers with one JSON object.
    public var stream: Stream?
    /// The service that serves it: `identity`, `chat` or `retention`.
    public var service: String

    public init(
        verb: String, path: String, method: MethodDescriptor, request: ProtobufDescriptor,
        response: ProtobufDescriptor, stream: Stream?, service: String
    ) {
        self.verb = verb
        self.path = path
        self.method = method
        self.request = request
        self.response = response
        self.stream = stream
        self.service = service
    }
}

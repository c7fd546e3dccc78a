internal import SwiftProtobufPluginLibrary

/// What depends on whether a method takes or returns a stream.
extension ServiceFile {
    private func descriptor(_ method: MethodDescriptor) -> String { "\(qualified)Methods.\(method.swiftName)" }

    /// A handler's parameters but for the call, as they are declared.
    private func parameters(_ method: MethodDescriptor) -> String {
        switch method.callType {
        case .unary: "_ request: \(method.request)"
        case .serverStreaming: "_ request: \(method.request), writer: ResponseWriter<\(method.response)>"
        case .clientStreaming: "_ requests: RequestStream<\(method.request)>"
        case .bidirectional:
            "_ requests: RequestStream<\(method.request)>, writer: ResponseWriter<\(method.response)>"
        }
    }

    /// The requirement of the handler protocol.
    func writeRequirement(_ method: MethodDescriptor, to source: inout SwiftSource) {
        switch method.callType {
        case .unary, .clientStreaming:
            source.line("func \(method.swiftName)(\(parameters(method)), call: ServerCall) async throws")
            source.indented { $0.line("-> \(method.response)") }
        case .serverStreaming, .bidirectional:
            source.line("func \(method.swiftName)(")
            source.indented { source in
                source.line("\(parameters(method)),")
                source.line("call: ServerCall")
            }
            source.line(") async throws")
        }
    }

    /// The function of the client.
    func writeCall(_ method: MethodDescriptor, to source: inout SwiftSource) {
        let options = "options: CallOptions = CallOptions()"
        let types = "\(method.request), \(method.response)"
        source.line("public func \(method.swiftName)(")
        source.indented { source in
            switch method.callType {
            case .unary, .serverStreaming: source.line("_ request: \(method.request), \(options)")
            case .clientStreaming, .bidirectional: source.line(options)
            }
        }
        switch method.callType {
        case .unary:
            source.block(") async throws -> \(method.response)") { source in
                source.line("try await channel.unary(\(descriptor(method)), request, options: options)")
            }
        case .serverStreaming:
            source.block(") -> ResponseStream<\(method.response)>") { source in
                source.line("channel.serverStreaming(\(descriptor(method)), request, options: options)")
            }
        case .clientStreaming:
            source.block(") async throws -> ClientStreamingCall<\(types)>") { writeStreamCall(method, to: &$0) }
        case .bidirectional:
            source.block(") async throws -> BidirectionalCall<\(types)>") { writeStreamCall(method, to: &$0) }
        }
    }

    private func writeStreamCall(_ method: MethodDescriptor, to source: inout SwiftSource) {
        source.line("try await channel.\(method.callType)(")
        source.indented { source in
            source.line("\(descriptor(method)), options: options,")
            source.line("sending: \(method.request).self, receiving: \(method.response).self)")
        }
    }

    /// The element of `handlers`.
    func writeHandler(_ method: MethodDescriptor, to source: inout SwiftSource) {
        let head = ".\(method.callType)(\(descriptor(method))) {"
        switch method.callType {
        case .unary:
            source.line("\(head) (request: \(method.request), call: ServerCall) in")
            source.indented { $0.line("try await self.\(method.swiftName)(request, call: call)") }
        case .serverStreaming:
            source.line(head)
            source.indented { source in
                source.line(
                    "(request: \(method.request), writer: ResponseWriter<\(method.response)>, call: ServerCall) in")
                source.line("try await self.\(method.swiftName)(request, writer: writer, call: call)")
            }
        case .clientStreaming:
            source.line(head)
            source.indented { source in
                source.line("(requests: RequestStream<\(method.request)>, call: ServerCall) in")
                source.line("try await self.\(method.swiftName)(requests, call: call)")
            }
        case .bidirectional:
            source.line(head)
            source.indented { source in
                source.line("(")
                source.indented { source in
                    source.line("requests: RequestStream<\(method.request)>,")
                    source.line("writer: ResponseWriter<\(method.response)>, call: ServerCall")
                }
                source.line(") in")
                source.line("try await self.\(method.swiftName)(requests, writer: writer, call: call)")
            }
        }
        source.line("},")
    }
}

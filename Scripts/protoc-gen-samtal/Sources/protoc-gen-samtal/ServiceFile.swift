internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// One service: its method descriptors, the protocol a server implements, and the client.
struct ServiceFile {
    let package: Package
    let service: ServiceDescriptor
    let module: Module

    private var qualified: String { "\(package.namespace).\(service.name)" }

    var source: String {
        var source = SwiftSource(imports: module == .rpc ? [] : ["public import RPC"])
        if module != .rpc { source.line("") }
        source.block("extension \(package.namespace)") { source in
            writeMethods(to: &source)
            source.line("")
            writeHandlerProtocol(to: &source)
            source.line("")
            writeClient(to: &source)
        }
        source.line("")
        writeHandlers(to: &source)
        return source.text
    }

    private func writeMethods(to source: inout SwiftSource) {
        source.line("/// The methods of `\(service.fullName)`.")
        source.block("public enum \(service.name)Methods") { source in
            for method in service.methods {
                source.line("public static let \(method.swiftName) = MethodDescriptor(")
                source.indented { source in
                    source.line("service: \"\(service.fullName)\", method: \"\(method.name)\",")
                    source.line("kind: \(method.kind), idempotent: \(method.rules.idempotent),")
                    source.line(
                        "maxRequestBytes: \(method.maximumRequestBytes), defaultDeadline: \(method.defaultDeadline))")
                }
                source.line("")
            }
            source.list(
                "public static let all: [MethodDescriptor] = [", service.methods.map(\.swiftName), "]")
        }
    }

    private func writeHandlerProtocol(to source: inout SwiftSource) {
        source.comment(service.comment, otherwise: "Serves `\(service.fullName)`.")
        source.line("///")
        source.line("/// A method throws `RPCError` for a status; any other error becomes INTERNAL.")
        source.block("public protocol \(service.name)Handler: Sendable") { source in
            for (index, method) in service.methods.enumerated() {
                if index > 0 { source.line("") }
                source.comment(method.comment)
                if method.serverStreaming {
                    source.line("func \(method.swiftName)(")
                    source.indented { source in
                        source.line("_ request: \(method.request), writer: ResponseWriter<\(method.response)>,")
                        source.line("call: ServerCall")
                    }
                    source.line(") async throws")
                } else {
                    source.line("func \(method.swiftName)(_ request: \(method.request), call: ServerCall) async throws")
                    source.indented { $0.line("-> \(method.response)") }
                }
            }
        }
    }

    private func writeClient(to source: inout SwiftSource) {
        source.line("/// Calls `\(service.fullName)` over a channel. Every method throws `RPCError`.")
        source.block("public struct \(service.name)Client: Sendable") { source in
            source.line("private let channel: RPCChannel")
            source.line("")
            source.block("public init(channel: RPCChannel)") { $0.line("self.channel = channel") }
            for method in service.methods {
                source.line("")
                source.comment(method.comment)
                source.line("public func \(method.swiftName)(")
                source.indented { $0.line("_ request: \(method.request), options: CallOptions = CallOptions()") }
                let descriptor = "\(qualified)Methods.\(method.swiftName)"
                if method.serverStreaming {
                    source.block(") -> ResponseStream<\(method.response)>") { source in
                        source.line("channel.serverStreaming(\(descriptor), request, options: options)")
                    }
                } else {
                    source.block(") async throws -> \(method.response)") { source in
                        source.line("try await channel.unary(\(descriptor), request, options: options)")
                    }
                }
            }
        }
    }

    private func writeHandlers(to source: inout SwiftSource) {
        source.block("extension \(qualified)Handler") { source in
            source.line("/// What a server is given to serve this.")
            source.block("public var handlers: [MethodHandler]") { source in
                source.line("[")
                source.indented { source in
                    for method in service.methods {
                        writeHandler(method, to: &source)
                    }
                }
                source.line("]")
            }
        }
    }

    private func writeHandler(_ method: MethodDescriptor, to source: inout SwiftSource) {
        let descriptor = "\(qualified)Methods.\(method.swiftName)"
        if method.serverStreaming {
            source.line(".serverStreaming(\(descriptor)) {")
            source.indented { source in
                source.line(
                    "(request: \(method.request), writer: ResponseWriter<\(method.response)>, call: ServerCall) in")
                source.line("try await self.\(method.swiftName)(request, writer: writer, call: call)")
            }
        } else {
            source.line(".unary(\(descriptor)) { (request: \(method.request), call: ServerCall) in")
            source.indented { $0.line("try await self.\(method.swiftName)(request, call: call)") }
        }
        source.line("},")
    }
}

extension MethodDescriptor {
    var swiftName: String { SwiftName.method(name) }
    var request: String { inputType.swiftType }
    var response: String { outputType.swiftType }

    /// Its line of annotations.proto; all defaults for a method that has none.
    var rules: Samtal_Annotations_V1_MethodOptions { options.Samtal_Annotations_V1_method }
    var hasRules: Bool { options.hasSamtal_Annotations_V1_method }

    var path: String { "/\(service.fullName)/\(name)" }

    var kind: String {
        switch (clientStreaming, serverStreaming) {
        case (false, false): ".unary"
        case (false, true): ".serverStreaming"
        case (true, false): ".clientStreaming"
        case (true, true): ".bidirectional"
        }
    }

    var maximumRequestBytes: UInt32 { rules.maxRequestBytes == 0 ? 4096 : rules.maxRequestBytes }

    /// As a Swift expression of type `Duration?`.
    var defaultDeadline: String {
        if rules.deadlineMs > 0 { return ".milliseconds(\(rules.deadlineMs))" }
        return serverStreaming ? "nil" : ".seconds(10)"
    }
}

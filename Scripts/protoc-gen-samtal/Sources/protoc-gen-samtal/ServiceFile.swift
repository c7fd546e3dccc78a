internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// One service: its method descriptors, the protocol a server implements, and the client.
struct ServiceFile {
    let package: Package
    let service: ServiceDescriptor
    let module: Module

    var qualified: String { "\(package.namespace).\(service.name)" }

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
                    source.line("kind: .\(method.callType), idempotent: \(method.rules.idempotent),")
                    source.line(
                        "maxRequestBytes: \(maximumRequestBytes(method)), defaultDeadline: \(defaultDeadline(method)))")
                }
                source.line("")
            }
            source.list(
                "public static let all: [MethodDescriptor] = [", service.methods.map(\.swiftName), "]")
        }
    }

    private func maximumRequestBytes(_ method: MethodDescriptor) -> UInt32 {
        method.rules.maxRequestBytes > 0 ? method.rules.maxRequestBytes : module.maximumRequestBytes
    }

    /// As a Swift expression of type `Duration?`.
    private func defaultDeadline(_ method: MethodDescriptor) -> String {
        if method.rules.deadlineMs > 0 { return ".milliseconds(\(method.rules.deadlineMs))" }
        return method.callType == .unary ? module.unaryDeadline : "nil"
    }

    private func writeHandlerProtocol(to source: inout SwiftSource) {
        source.comment(service.comment, otherwise: "Serves `\(service.fullName)`.")
        source.line("///")
        source.line("/// A method throws `RPCError` for a status; any other error becomes INTERNAL.")
        source.block("public protocol \(service.name)Handler: Sendable") { source in
            for (index, method) in service.methods.enumerated() {
                if index > 0 { source.line("") }
                source.comment(method.comment)
                writeRequirement(method, to: &source)
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
                writeCall(method, to: &source)
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
}

extension MethodDescriptor {
    var swiftName: String { SwiftName.method(name) }
    var request: String { inputType.swiftType }
    var response: String { outputType.swiftType }

    /// Its line of annotations.proto; all defaults for a method that has none.
    var rules: Samtal_Annotations_V1_MethodOptions { options.Samtal_Annotations_V1_method }
    var hasRules: Bool { options.hasSamtal_Annotations_V1_method }

    var path: String { "/\(service.fullName)/\(name)" }

    var callType: CallType {
        switch (clientStreaming, serverStreaming) {
        case (false, false): .unary
        case (false, true): .serverStreaming
        case (true, false): .clientStreaming
        case (true, true): .bidirectional
        }
    }
}

/// The runtime has a case of `MethodDescriptor.Kind`, a factory of `MethodHandler` and a function of `RPCChannel` of
/// each name.
enum CallType: String {
    case unary, serverStreaming, clientStreaming, bidirectional
}

internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// Who may call what.
struct AccessTableFile {
    let services: [ServiceDescriptor]

    var source: String {
        var source = SwiftSource(imports: [])
        source.line("/// Who may call which method. A method that isn't in it is refused to everybody.")
        source.block("public enum AccessTable") { source in
            source.line("/// By the method's path.")
            source.line("public static let rules: [String: AccessRule] = [")
            source.indented { source in
                for method in services.flatMap(\.methods) {
                    source.list("\"\(method.path)\": AccessRule(grants: [", method.rules.allow.map(grant), "]),")
                }
            }
            source.line("]")
        }
        return source.text
    }

    private func grant(_ grant: Samtal_Annotations_V1_Grant) -> String {
        let principals = grant.principals.map { "." + AccessTableFile.name($0) }.joined(separator: ", ")
        return "Grant(role: .\(AccessTableFile.name(grant.role)), principals: [\(principals)])"
    }

    private static func name(_ role: Samtal_Annotations_V1_Role) -> String {
        switch role {
        case .gateway: "gateway"
        case .service: "service"
        case .operator: "operator"
        case .backend: "backend"
        case .backup: "backup"
        case .unspecified, .UNRECOGNIZED: "unspecified"
        }
    }

    private static func name(_ principal: Samtal_Annotations_V1_Principal) -> String {
        switch principal {
        case .anyone: "anyone"
        case .participant: "participant"
        case .administrator: "administrator"
        case .unspecified, .UNRECOGNIZED: "unspecified"
        }
    }
}

/// How methods are reached over HTTP.
struct HTTPRoutesFile {
    let services: [ServiceDescriptor]

    var source: String {
        var source = SwiftSource(imports: [])
        source.line("/// The routes of the gateway, one per method that is reachable over HTTP.")
        source.block("public enum HTTPRoutes") { source in
            source.line("public static let all: [HTTPRoute] = [")
            source.indented { source in
                for method in services.flatMap(\.methods) where method.rules.hasHTTP {
                    write(method, to: &source)
                }
            }
            source.line("]")
        }
        return source.text
    }

    private func write(_ method: MethodDescriptor, to source: inout SwiftSource) {
        let package = Package(name: method.file.package)
        let stream =
            switch method.rules.http.stream {
            case .events: ".events"
            case .file: ".file"
            case .unspecified, .UNRECOGNIZED: "nil"
            }
        source.line("HTTPRoute(")
        source.indented { source in
            source.line("verb: \"\(method.rules.http.verb)\", path: \"\(method.rules.http.path)\",")
            source.line("method: \(package.namespace).\(method.service.name)Methods.\(method.swiftName),")
            source.line("request: \(method.request).descriptor, response: \(method.response).descriptor,")
            source.line("stream: \(stream), service: \"\(package.serviceName)\"),")
        }
    }
}

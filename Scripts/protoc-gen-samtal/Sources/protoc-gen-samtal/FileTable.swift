internal import Foundation
internal import SwiftProtobuf

/// The .proto files of a module as values: what reflection answers with.
///
/// The table is whole: it holds every file that one of its own imports, also where another module's table does.
enum FileTable {
    /// - Parameter descriptors: a `FileDescriptorSet` with imports.
    /// - Returns: Swift source.
    static func source(_ module: Module, descriptors: Data) throws -> String {
        let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: descriptors)
        var source = SwiftSource(imports: module == .rpc ? [] : ["public import RPC", ""])
        source.line("/// The .proto files that this module is generated from, each after those it imports.")
        try source.block("public enum \(module.fileTable)") { source in
            source.list("public static let all: [ProtoFile] = [", set.file.map(constant), "]")
            for file in set.file {
                source.line("")
                try write(file, to: &source)
            }
        }
        return source.text
    }

    /// `grpc/health/v1/health.proto` → `grpcHealthV1Health`.
    private static func constant(_ file: Google_Protobuf_FileDescriptorProto) -> String {
        SwiftName.property(file.name.replacing(/\.proto$/, with: "").replacing("/", with: "_"))
    }

    private static func write(_ file: Google_Protobuf_FileDescriptorProto, to source: inout SwiftSource) throws {
        let names = DeclaredNames(file)
        let base64 = try file.asWritten.serializedData().base64EncodedString()
        source.line("private static let \(constant(file)) = ProtoFile(")
        source.indented { source in
            source.line("name: \"\(file.name)\",")
            write("dependencies", file.dependency.map { "\"\($0)\"" }, to: &source)
            write("services", names.services.map { "\"\($0)\"" }, to: &source)
            write("symbols", names.symbols.map { "\"\($0)\"" }, to: &source)
            write("extensions", names.extensions.map { ".init(of: \"\($0.type)\", number: \($0.number))" }, to: &source)
            // One text compiles at once; an array of as many numbers takes minutes.
            source.line("base64: \"\"\"")
            source.indented { source in
                var rest = base64[...]
                while !rest.isEmpty {
                    source.line(rest.prefix(100) + (rest.count > 100 ? "\\" : ""))
                    rest = rest.dropFirst(100)
                }
                source.line("\"\"\")")
            }
        }
    }

    private static func write(_ label: String, _ items: [String], to source: inout SwiftSource) {
        guard !items.isEmpty else {
            source.line("\(label): [],")
            return
        }
        source.list("\(label): [", items, "],")
    }
}

/// The full names of what a file declares.
private struct DeclaredNames {
    var services: [String] = []
    /// Services, methods, messages, enums and extensions, nested ones too.
    var symbols: [String] = []
    /// The extended message and the number of each extension.
    var extensions: [(type: String, number: Int32)] = []

    init(_ file: Google_Protobuf_FileDescriptorProto) {
        let scope = file.package.isEmpty ? "" : file.package + "."
        services = file.service.map { scope + $0.name }
        for service in file.service {
            symbols.append(scope + service.name)
            symbols += service.method.map { "\(scope)\(service.name).\($0.name)" }
        }
        symbols += file.enumType.map { scope + $0.name }
        for message in file.messageType { add(message, scope: scope) }
        add(file.extension, scope: scope)
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, scope: String) {
        symbols.append(scope + message.name)
        let inner = scope + message.name + "."
        symbols += message.enumType.map { inner + $0.name }
        for nested in message.nestedType { add(nested, scope: inner) }
        add(message.extension, scope: inner)
    }

    private mutating func add(_ extensions: [Google_Protobuf_FieldDescriptorProto], scope: String) {
        symbols += extensions.map { scope + $0.name }
        // protoc has resolved the name: it begins with a point.
        self.extensions += extensions.map { (String($0.extendee.drop { $0 == "." }), $0.number) }
    }
}

extension Google_Protobuf_FileDescriptorProto {
    /// Without comments, and without the names in JSON, which protoc adds and every reader derives.
    fileprivate var asWritten: Google_Protobuf_FileDescriptorProto {
        var file = self
        file.clearSourceCodeInfo()
        for index in file.messageType.indices { file.messageType[index].clearDerivedNames() }
        for index in file.extension.indices { file.extension[index].clearJsonName() }
        return file
    }
}

extension Google_Protobuf_DescriptorProto {
    fileprivate mutating func clearDerivedNames() {
        for index in nestedType.indices { nestedType[index].clearDerivedNames() }
        for index in `extension`.indices { `extension`[index].clearJsonName() }
        for index in field.indices where field[index].jsonName == field[index].derivedJSONName {
            field[index].clearJsonName()
        }
    }
}

extension Google_Protobuf_FieldDescriptorProto {
    /// `session_id` → `sessionId`, as protoc does it.
    fileprivate var derivedJSONName: String {
        var result = ""
        var isAfterUnderscore = false
        for character in name {
            if character != "_" { result += isAfterUnderscore ? character.uppercased() : String(character) }
            isAfterUnderscore = character == "_"
        }
        return result
    }
}

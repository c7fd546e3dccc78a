internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// The value types of one package: a namespace, in it the enums and messages.
struct MessagesFile {
    let package: Package
    let files: [FileDescriptor]
    let module: Module

    /// Google's own comments are left out: their files come with protoc, and their words with them.
    private var keepsComments: Bool { package.name != "google.protobuf" }

    var source: String {
        var source = SwiftSource(imports: imports)
        source.line("")
        let heads = files.map(\.headComment).filter { !$0.isEmpty && keepsComments }
        source.comment("Package `\(package.name)`." + heads.map { "\n\n" + $0 }.joined())
        source.line("public enum \(package.namespace) {}")
        for file in files {
            for enumeration in file.enums {
                source.line("")
                source.block("extension \(package.namespace)") { write(enumeration, to: &$0) }
            }
            for message in file.messages {
                source.line("")
                source.block("extension \(package.namespace)") { write(message, to: &$0) }
            }
        }
        return source.text
    }

    private var imports: [String] {
        let messages = files.flatMap(\.messages)
        var imports = ["internal import \(module.cModule)", "internal import CProtobufC", "public import ProtobufC"]
        if module != .rpc, messages.contains(where: { $0.refersOutside(package) }) {
            imports.append("public import RPC")
        }
        return imports
    }

    private func write(_ enumeration: EnumDescriptor, to source: inout SwiftSource) {
        source.comment(comment(of: enumeration), otherwise: "`\(enumeration.fullName)`.")
        source.block("public enum \(SwiftName.type(enumeration.name)): Sendable, Hashable") { source in
            let values = enumeration.distinctValues
            for value in values {
                source.comment(comment(of: value))
                source.line("case \(enumeration.caseName(value))")
            }
            source.line("/// A number that this version has no name for: protobuf's enums are open.")
            source.line("case unrecognised(Int32)")
            source.line("")
            source.block("public init(rawValue: Int32)") { source in
                source.line("switch rawValue {")
                for value in values {
                    source.line("case \(value.number): self = \(enumeration.caseReference(value))")
                }
                source.line("default: self = .unrecognised(rawValue)")
                source.line("}")
            }
            source.line("")
            source.line("/// The number on the wire.")
            source.block("public var rawValue: Int32") { source in
                source.line("switch self {")
                for value in values {
                    source.line("case \(enumeration.caseReference(value)): \(value.number)")
                }
                source.line("case .unrecognised(let number): number")
                source.line("}")
            }
        }
    }

    private func write(_ message: Descriptor, to source: inout SwiftSource) {
        source.comment(comment(of: message), otherwise: "`\(message.fullName)`.")
        source.block("public struct \(SwiftName.type(message.name)): ProtobufMessage") { source in
            let properties = message.properties
            for property in properties {
                source.comment(keepsComments ? property.comment : "")
                source.line("public var \(property.name): \(property.type) = \(property.defaultValue)")
            }
            if !properties.isEmpty { source.line("") }
            source.line("public init() {}")
            writeMemberwiseInit(properties, to: &source)
            MessageConversion(message: message).write(to: &source)
            for oneof in message.realOneofs where !oneof.isPresence {
                source.line("")
                write(oneof, to: &source)
            }
            for enumeration in message.enums {
                source.line("")
                write(enumeration, to: &source)
            }
            for nested in message.messages {
                source.line("")
                write(nested, to: &source)
            }
        }
    }

    private func writeMemberwiseInit(_ properties: [Property], to source: inout SwiftSource) {
        guard !properties.isEmpty else { return }
        source.line("")
        source.line("public init(")
        source.indented { source in
            for (index, property) in properties.enumerated() {
                let comma = index == properties.count - 1 ? "" : ","
                source.line("\(property.name): \(property.type) = \(property.defaultValue)\(comma)")
            }
        }
        source.block(")") { source in
            for property in properties {
                source.line("self.\(property.name) = \(property.name)")
            }
        }
    }

    private func write(_ oneof: OneofDescriptor, to source: inout SwiftSource) {
        source.comment(comment(of: oneof), otherwise: "One of these at a time.")
        source.block("public enum \(SwiftName.upperCamel(oneof.name)): Sendable, Equatable") { source in
            for field in oneof.fields {
                source.comment(comment(of: field))
                source.line("case \(field.swiftName)(\(field.elementType))")
            }
        }
    }

    private func comment(of declaration: some ProvidesSourceCodeLocation) -> String {
        keepsComments ? declaration.comment : ""
    }
}

/// A stored property of a message: a field, or a oneof with several.
struct Property {
    var name: String
    var type: String
    var defaultValue: String
    var comment: String
}

extension Descriptor {
    /// In the order of declaration; a oneof where its first member is.
    var properties: [Property] {
        fields.compactMap { field in
            guard let oneof = field.realContainingOneof, !oneof.isPresence else {
                return Property(
                    name: field.swiftName, type: field.propertyType, defaultValue: field.defaultValue,
                    comment: field.comment)
            }
            guard field.number == oneof.fields.first?.number else { return nil }
            return Property(
                name: SwiftName.property(oneof.name), type: oneof.swiftType + "?", defaultValue: "nil",
                comment: oneof.comment)
        }
    }

    fileprivate func refersOutside(_ package: Package) -> Bool {
        fields.contains { field in
            (field.type == .message && field.messageType.file.package != package.name)
                || (field.type == .enum && field.enumType.file.package != package.name)
        } || messages.contains { $0.refersOutside(package) }
    }
}

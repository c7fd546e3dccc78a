internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// The members of a message that convert it from and to its C struct.
struct MessageConversion {
    let message: Descriptor

    func write(to source: inout SwiftSource) {
        source.line("")
        writeDescriptor(to: &source)
        source.line("")
        source.block("public init(cMessage: UnsafeRawPointer) throws(ProtobufError)") { source in
            guard !message.fields.isEmpty else { return }
            source.line("let cStruct = cMessage.assumingMemoryBound(to: \(message.cType).self)")
            forEachProperty(
                field: { writeReading($0, to: &source) }, oneof: { writeReading($0, to: &source) })
        }
        source.line("")
        source.block("public func fill(cMessage: UnsafeMutableRawPointer, arena: Arena)") { source in
            guard !message.fields.isEmpty else { return }
            source.line("let cStruct = cMessage.assumingMemoryBound(to: \(message.cType).self)")
            forEachProperty(
                field: { writeFilling($0, to: &source) }, oneof: { writeFilling($0, to: &source) })
        }
    }

    /// The C constant has no address in Swift; an initialised struct points to it.
    private func writeDescriptor(to source: inout SwiftSource) {
        let texts = message.fields.filter { $0.type == .string }.map(\.number)
        let messages = message.fields.filter { $0.type == .message }
            .map { "\($0.number): \($0.messageType.swiftType).descriptor" }
        source.line("public static let descriptor: ProtobufDescriptor = {")
        source.indented { source in
            source.line("var message = \(message.cType)()")
            source.line("\(CName.function(message.fullName))__init(&message)")
            guard !texts.isEmpty || !messages.isEmpty else {
                source.line("return ProtobufDescriptor(message.base.descriptor)")
                return
            }
            source.line("return ProtobufDescriptor(")
            source.indented { source in
                source.line("message.base.descriptor, texts: \(texts),")
                source.line("messages: [\(messages.isEmpty ? ":" : messages.joined(separator: ", "))])")
            }
        }
        source.line("}()")
    }

    private func forEachProperty(field: (FieldDescriptor) -> Void, oneof: (OneofDescriptor) -> Void) {
        for each in message.fields {
            guard let group = each.realContainingOneof else {
                field(each)
                continue
            }
            if each.number == group.fields.first?.number {
                oneof(group)
            }
        }
    }

    private func member(_ field: FieldDescriptor) -> String { "cStruct.pointee.\(field.cName)" }
    private func count(_ field: FieldDescriptor) -> String { "cStruct.pointee.n_\(field.cName)" }

    // MARK: Reading

    private func writeReading(_ field: FieldDescriptor, to source: inout SwiftSource) {
        let path = "\"\(field.name)\""
        guard field.isRepeated else {
            source.line("\(field.swiftName) = \(field.read(member(field), path: path))")
            return
        }
        if field.type == .message {
            source.line(
                "\(field.swiftName) = try FieldReading.messages(\(member(field)), \(count(field)), \(path))")
        } else {
            source.line("\(field.swiftName) = try FieldReading.array(\(member(field)), \(count(field)), \(path)) {")
            source.indented { source in
                source.line("value throws(ProtobufError) in \(field.read("value", path: "\"\""))")
            }
            source.line("}")
        }
    }

    private func writeReading(_ oneof: OneofDescriptor, to source: inout SwiftSource) {
        let property = oneof.isPresence ? oneof.fields[0].swiftName : SwiftName.property(oneof.name)
        source.line("switch cStruct.pointee.\(oneof.cCase).rawValue {")
        for field in oneof.fields {
            let value = field.read(member(field), path: "\"\(field.name)\"")
            source.line("case \(field.number):")
            source.indented { source in
                if oneof.isPresence {
                    source.line("\(property) = \(value)")
                } else if field.type == .message {
                    source.line("\(property) = (\(value)).map { .\(field.swiftName)($0) }")
                } else {
                    source.line("\(property) = .\(field.swiftName)(\(value))")
                }
            }
        }
        source.line("default: \(property) = nil")
        source.line("}")
    }

    // MARK: Filling

    private func writeFilling(_ field: FieldDescriptor, to source: inout SwiftSource) {
        guard field.isRepeated else {
            source.line(field.write(field.swiftName, to: member(field)))
            return
        }
        let target = "(\(member(field)), \(count(field)))"
        switch field.type {
        case .message, .group:
            source.line("\(target) = arena.messages(\(field.swiftName))")
        case .string, .bytes:
            source.line("\(target) = arena.array(\(field.swiftName)) {")
            source.indented { source in
                source.line("let (data, len) = arena.\(field.type == .string ? "text" : "bytes")($0)")
                source.line("return ProtobufCBinaryData(len: len, data: data)")
            }
            source.line("}")
        default:
            source.line("\(target) = arena.array(\(field.swiftName)) { \(field.cValue("$0")) }")
        }
    }

    private func writeFilling(_ oneof: OneofDescriptor, to source: inout SwiftSource) {
        if oneof.isPresence {
            let field = oneof.fields[0]
            source.block("if let \(field.swiftName)") { source in
                source.line("cStruct.pointee.\(oneof.cCase) = .init(rawValue: \(field.number))")
                source.line(field.write(field.swiftName, to: member(field)))
            }
            return
        }
        source.line("switch \(SwiftName.property(oneof.name)) {")
        for field in oneof.fields {
            source.line("case .\(field.swiftName)(let value):")
            source.indented { source in
                source.line("cStruct.pointee.\(oneof.cCase) = .init(rawValue: \(field.number))")
                source.line(field.write("value", to: member(field)))
            }
        }
        source.line("case nil: break")
        source.line("}")
    }
}

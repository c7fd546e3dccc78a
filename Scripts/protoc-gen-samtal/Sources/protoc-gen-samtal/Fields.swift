internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

extension Descriptor {
    /// `ChatV1.Question`, `GoogleRPC.ErrorInfo.Entry`.
    var swiftType: String {
        (containingType?.swiftType ?? Package(name: file.package).namespace) + "." + SwiftName.type(name)
    }

    var cType: String { CName.type(fullName) }
}

extension EnumDescriptor {
    var swiftType: String {
        (containingType?.swiftType ?? Package(name: file.package).namespace) + "." + SwiftName.type(name)
    }

    /// `QUESTION_STATE_` of QUESTION_STATE_UNSPECIFIED, or empty.
    private var prefix: String {
        let suffix = "UNSPECIFIED"
        let zero = values.first?.name ?? ""
        return zero.hasSuffix("_" + suffix) ? String(zero.dropLast(suffix.count)) : ""
    }

    func caseName(_ value: EnumValueDescriptor) -> String {
        SwiftName.enumCase(value.name, prefix: prefix)
    }

    /// As written behind a point, where only `init` and `self` would be taken for something else.
    func caseReference(_ value: EnumValueDescriptor) -> String {
        let name = caseName(value)
        let bare = name.replacing("`", with: "")
        return bare == "init" || bare == "self" ? ".\(name)" : ".\(bare)"
    }

    /// Without those that repeat another's number.
    var distinctValues: [EnumValueDescriptor] {
        var numbers: Set<Int32> = []
        return values.filter { numbers.insert($0.number).inserted }
    }
}

extension OneofDescriptor {
    var swiftType: String { containingType.swiftType + "." + SwiftName.upperCamel(name) }
    var cCase: String { CName.member(name) + "_case" }
    /// A oneof of one member only says whether the member is present: it is an Optional.
    var isPresence: Bool { fields.count == 1 }
}

extension FieldDescriptor {
    var swiftName: String { SwiftName.property(name) }
    var cName: String { CName.member(name) }

    /// The type of one value.
    var elementType: String {
        switch type {
        case .message, .group: messageType.swiftType
        case .enum: enumType.swiftType
        case .string: "String"
        case .bytes: "[UInt8]"
        case .bool: "Bool"
        case .float: "Float"
        case .double: "Double"
        case .int32, .sint32, .sfixed32: "Int32"
        case .uint32, .fixed32: "UInt32"
        case .int64, .sint64, .sfixed64: "Int64"
        case .uint64, .fixed64: "UInt64"
        }
    }

    /// The type of the property, if the field is no member of a oneof with several.
    var propertyType: String {
        if isRepeated { return "[\(elementType)]" }
        return type == .message || realContainingOneof != nil ? elementType + "?" : elementType
    }

    var defaultValue: String {
        if isRepeated { return "[]" }
        if type == .message || realContainingOneof != nil { return "nil" }
        return switch type {
        case .enum: enumType.caseReference(enumType.values[0])
        case .string: "\"\""
        case .bytes: "[]"
        case .bool: "false"
        default: "0"
        }
    }

    /// A Swift expression that reads one value out of the C expression `c`, which may throw for strings.
    func read(_ c: String, path: String) -> String {
        switch type {
        case .message, .group: "try FieldReading.message(\(c), \(path))"
        case .enum: "\(enumType.swiftType)(rawValue: Int32(truncatingIfNeeded: \(c).rawValue))"
        case .string: "try FieldReading.text(\(c).data, \(c).len, \(path))"
        case .bytes: "FieldReading.bytes(\(c).data, \(c).len)"
        case .bool: "\(c) != 0"
        default: c
        }
    }

    /// The statements that write the Swift expression `value` into the C expression `c`.
    func write(_ value: String, to c: String) -> String {
        switch type {
        case .message, .group: "\(c) = arena.message(\(value))"
        case .string: "(\(c).data, \(c).len) = arena.text(\(value))"
        case .bytes: "(\(c).data, \(c).len) = arena.bytes(\(value))"
        default: "\(c) = \(cValue(value))"
        }
    }

    /// The C value of a number, bool or enum.
    func cValue(_ value: String) -> String {
        switch type {
        case .enum: ".init(rawValue: .init(truncatingIfNeeded: \(value).rawValue))"
        case .bool: "\(value) ? 1 : 0"
        default: value
        }
    }
}

internal import Foundation
internal import SwiftProtobuf

/// The descriptors as protoc-c must see them.
///
/// - Strings are marked to be read as bytes with a length: as C strings an embedded NUL would cut them short.
/// - Options, services and comments are left out, so that the C code doesn't need annotations.proto.
enum CDescriptors {
    // protobuf-c's options, as they are on the wire: its .proto file, which gives them number 1019, isn't needed then.
    /// `pb_c_field` with `string_as_bytes` (1) = true.
    private static let stringAsBytes: [UInt8] = [0xda, 0x3f, 0x02, 0x08, 0x01]
    /// `pb_c_file` with `gen_pack_helpers` (2) = false: the descriptors are enough.
    private static let noPackFunctions: [UInt8] = [0xda, 0x3f, 0x02, 0x10, 0x00]

    private static let leftOut: Set<String> = [
        "google/protobuf/descriptor.proto", "samtal/annotations/v1/annotations.proto",
    ]

    /// - Parameter descriptors: a `FileDescriptorSet` with imports.
    /// - Returns: another, for `protoc --descriptor_set_in`.
    static func forProtocC(_ descriptors: Data) throws -> Data {
        var set = try Google_Protobuf_FileDescriptorSet(serializedBytes: descriptors)
        set.file.removeAll { leftOut.contains($0.name) }
        for index in set.file.indices {
            try strip(&set.file[index])
        }
        return try set.serializedData()
    }

    private static func strip(_ file: inout Google_Protobuf_FileDescriptorProto) throws {
        file.dependency.removeAll { leftOut.contains($0) }
        file.publicDependency = []
        file.weakDependency = []
        file.service = []
        file.extension = []
        file.options = try Google_Protobuf_FileOptions(serializedBytes: noPackFunctions)
        file.clearSourceCodeInfo()
        for index in file.messageType.indices {
            try strip(&file.messageType[index])
        }
    }

    private static func strip(_ message: inout Google_Protobuf_DescriptorProto) throws {
        message.clearOptions()
        for index in message.nestedType.indices {
            try strip(&message.nestedType[index])
        }
        for index in message.field.indices {
            message.field[index].clearOptions()
            if message.field[index].type == .string {
                message.field[index].options = try Google_Protobuf_FieldOptions(serializedBytes: stringAsBytes)
            }
        }
    }
}

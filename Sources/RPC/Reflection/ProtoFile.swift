internal import ProtobufC

/// One .proto file as reflection serves it. Generated, as `RPCFiles.all` for this module.
public struct ProtoFile: Sendable {
    /// An extension that the file declares: what an option of one's own is in protobuf.
    public struct Extension: Sendable, Hashable {
        /// The full name of the extended message, such as `google.protobuf.MethodOptions`.
        public var type: String
        /// The field's number.
        public var number: Int32

        public init(of type: String, number: Int32) {
            self.type = type
            self.number = number
        }
    }

    /// As an import has it: `grpc/health/v1/health.proto`.
    public var name: String
    /// The names of the files it imports.
    public var dependencies: [String]
    /// The full names of its services.
    public var services: [String]
    /// The full names of its services, their methods, its messages, enums and extensions, nested ones too.
    public var symbols: [String]
    public var extensions: [Extension]
    /// A serialized `google.protobuf.FileDescriptorProto`.
    public var descriptor: [UInt8]

    public init(
        name: String, dependencies: [String], services: [String], symbols: [String], extensions: [Extension] = [],
        descriptor: [UInt8]
    ) {
        self.name = name
        self.dependencies = dependencies
        self.services = services
        self.symbols = symbols
        self.extensions = extensions
        self.descriptor = descriptor
    }

    /// For generated code.
    /// - Parameter base64: the descriptor (RFC 4648, section 4).
    public init(
        name: String, dependencies: [String], services: [String], symbols: [String], extensions: [Extension],
        base64: StaticString
    ) {
        let descriptor = base64.withUTF8Buffer { Base64.decode($0) }
        precondition(descriptor != nil, "the generator writes base64")
        self.init(
            name: name, dependencies: dependencies, services: services, symbols: symbols, extensions: extensions,
            descriptor: descriptor ?? [])
    }
}

internal import CProtobufC

/// What is known of one message: names, numbers, types and offsets of its fields.
///
/// It refers to constants of the executable, so it is free to copy; two of the same message are equal.
public struct ProtobufDescriptor: @unchecked Sendable {  // guard: what it points to is immutable and never freed
    /// The `ProtobufCMessageDescriptor` that protoc-c generated.
    package let pointer: UnsafeRawPointer
    /// What that doesn't tell.
    private let details: Unmanaged<Details>?

    private final class Details: Sendable {
        let texts: Set<UInt32>
        let messages: [UInt32: ProtobufDescriptor]

        init(texts: Set<UInt32>, messages: [UInt32: ProtobufDescriptor]) {
            self.texts = texts
            self.messages = messages
        }
    }

    /// - Parameters:
    ///   - pointer: a `ProtobufCMessageDescriptor` that is never freed.
    ///   - texts: the numbers of the `string` fields; to protobuf-c they are `bytes`.
    ///   - messages: the descriptors of the message fields, by number.
    package init(_ pointer: UnsafeRawPointer, texts: Set<UInt32> = [], messages: [UInt32: ProtobufDescriptor] = [:]) {
        self.pointer = pointer
        // As immortal as the C constant beside it, and made once per message: generated code keeps it in a static.
        let hasDetails = !texts.isEmpty || !messages.isEmpty
        self.details = hasDetails ? Unmanaged.passRetained(Details(texts: texts, messages: messages)) : nil
    }

    /// The full name of the message, as in `samtal.chat.v1.Question`.
    public var name: String {
        String(cString: message.pointee.name)
    }

    var message: UnsafePointer<ProtobufCMessageDescriptor> {
        pointer.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }

    /// Whether a field that protobuf-c reads as bytes is a `string`.
    func isText(_ number: UInt32) -> Bool {
        details?._withUnsafeGuaranteedRef { $0.texts.contains(number) } ?? false
    }

    /// The descriptor of a field of type message.
    func submessage(_ number: UInt32) -> ProtobufDescriptor? {
        details?._withUnsafeGuaranteedRef { $0.messages[number] } ?? nil
    }
}

extension ProtobufDescriptor: Hashable {
    public static func == (left: ProtobufDescriptor, right: ProtobufDescriptor) -> Bool {
        left.pointer == right.pointer
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(pointer)
    }
}

internal import CProtobufC

/// What protoc-c knows of one message: names, numbers, types and offsets of its fields.
///
/// It refers to a constant of the executable, so it is free to copy, and two of the same message are equal.
public struct ProtobufDescriptor: @unchecked Sendable, Hashable {  // guard: the descriptor is immutable C data
    /// The `ProtobufCMessageDescriptor`.
    package let pointer: UnsafeRawPointer

    /// - Parameter pointer: a `ProtobufCMessageDescriptor` that is never freed.
    package init(_ pointer: UnsafeRawPointer) {
        self.pointer = pointer
    }

    /// The full name of the message, as in `samtal.chat.v1.Question`.
    public var name: String {
        String(cString: message.pointee.name)
    }

    var message: UnsafePointer<ProtobufCMessageDescriptor> {
        pointer.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }
}

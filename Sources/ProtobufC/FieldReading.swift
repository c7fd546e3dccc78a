internal import Glibc

/// What generated code reads C structs with. A message nested in another is read by its own initialiser; an error's
/// path grows on the way out, so that a message without errors builds none.
package enum FieldReading {
    /// The text of a field that protoc-c reads as bytes.
    ///
    /// protobuf-c checks no UTF-8. A NUL is legal UTF-8, and is refused all the same: what reads the text up to the
    /// NUL and what reads all of it would see two texts.
    package static func text(
        _ data: UnsafeMutablePointer<UInt8>?, _ count: Int, _ field: StaticString
    ) throws(ProtobufError) -> String {
        guard let data, count > 0 else { return "" }
        guard memchr(data, 0, count) == nil else {
            throw ProtobufError(field: field.description, reason: Reason.nulInText)
        }
        guard let text = String(utf8: UnsafeBufferPointer(start: data, count: count)) else {
            throw ProtobufError(field: field.description, reason: Reason.invalidUTF8)
        }
        return text
    }

    package static func bytes(_ data: UnsafeMutablePointer<UInt8>?, _ count: Int) -> [UInt8] {
        guard let data, count > 0 else { return [] }
        return [UInt8](UnsafeBufferPointer(start: data, count: count))
    }

    /// A submessage, or `nil`.
    @inlinable package static func message<Message: ProtobufMessage>(
        _ pointer: UnsafeMutableRawPointer?, _ field: StaticString
    ) throws(ProtobufError) -> Message? {
        guard let pointer else { return nil }
        do throws(ProtobufError) {
            return try Message(cMessage: pointer)
        } catch {
            throw error.inside(field.description)
        }
    }

    /// A repeated submessage.
    ///
    /// - Parameter pointers: an array of `count` pointers to C structs.
    @inlinable package static func messages<Message: ProtobufMessage>(
        _ pointers: UnsafeMutableRawPointer?, _ count: Int, _ field: StaticString
    ) throws(ProtobufError) -> [Message] {
        guard let pointers, count > 0 else { return [] }
        let elements = UnsafeBufferPointer(
            start: pointers.assumingMemoryBound(to: UnsafeRawPointer.self), count: count)
        var messages: [Message] = []
        messages.reserveCapacity(count)
        for (index, element) in elements.enumerated() {
            do throws(ProtobufError) {
                messages.append(try Message(cMessage: element))
            } catch {
                throw error.inside(field.description, at: index)
            }
        }
        return messages
    }

    /// A repeated field of C values, each turned into a Swift one.
    @inlinable package static func array<CValue, Value>(
        _ pointer: UnsafeMutablePointer<CValue>?, _ count: Int, _ field: StaticString,
        _ value: (CValue) throws(ProtobufError) -> Value
    ) throws(ProtobufError) -> [Value] {
        guard let pointer, count > 0 else { return [] }
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            do throws(ProtobufError) {
                values.append(try value(pointer[index]))
            } catch {
                throw ProtobufError(field: "\(field)[\(index)]", reason: error.reason)
            }
        }
        return values
    }
}

extension String {
    /// `nil` unless the bytes are valid UTF-8.
    ///
    /// `String(validating:as:)` says the same, but through generic code that costs more than the text itself.
    init?(utf8: UnsafeBufferPointer<UInt8>) {
        do {
            self = String(copying: try UTF8Span(validating: utf8.span))
        } catch {
            return nil
        }
    }
}

/// The reasons that more than one place gives.
enum Reason {
    static let nulInText = "must not contain a NUL character"
    static let invalidUTF8 = "must be valid UTF-8"
    static let tooLarge = "needs too much memory"
    static let tooDeep = "is nested too deeply"
}

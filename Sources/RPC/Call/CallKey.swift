/// Names a value that interceptors attach to a call. Two keys are the same when their names and their value types are.
public struct CallKey<Value: Sendable>: Sendable {
    @usableFromInline let name: StaticString

    @inlinable
    public init(_ name: StaticString) {
        self.name = name
    }
}

/// A value attached to a call. Boxed, so that reading it back is a comparison of identities and not a dynamic cast.
@usableFromInline
class AttachedValue: @unchecked Sendable {
    // Unchecked only because it is subclassed: it and its subclass hold immutable Sendable values.
    let name: StaticString
    let type: ObjectIdentifier

    @usableFromInline
    init(name: StaticString, type: ObjectIdentifier) {
        self.name = name
        self.type = type
    }

    final func has(name other: StaticString, type otherType: ObjectIdentifier) -> Bool {
        guard type == otherType, name.utf8CodeUnitCount == other.utf8CodeUnitCount else { return false }
        if name.utf8Start == other.utf8Start { return true }
        return UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount) == other
    }
}

@usableFromInline
final class AttachedValueOf<Value: Sendable>: AttachedValue, @unchecked Sendable {
    // Unchecked only because its superclass is; `value` is immutable and Sendable.
    @usableFromInline let value: Value

    @inlinable
    init(_ value: Value, for key: CallKey<Value>) {
        self.value = value
        super.init(name: key.name, type: ObjectIdentifier(Value.self))
    }
}

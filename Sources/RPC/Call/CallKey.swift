/// Names a value that interceptors attach to a call. Two keys are the same when their names and their value types are.
public struct CallKey<Value: Sendable>: Sendable {
    let name: StaticString

    public init(_ name: StaticString) {
        self.name = name
    }
}

/// A value attached to a call. Boxed, so that reading it back is a comparison of identities and not a dynamic cast.
class AttachedValue: @unchecked Sendable {
    // Unchecked only because it is subclassed: it and its subclass hold immutable Sendable values.
    let name: StaticString
    let type: ObjectIdentifier

    init(name: StaticString, type: ObjectIdentifier) {
        self.name = name
        self.type = type
    }

    final func belongs<Value>(to key: CallKey<Value>) -> Bool {
        guard type == ObjectIdentifier(Value.self), name.utf8CodeUnitCount == key.name.utf8CodeUnitCount else {
            return false
        }
        return name.withUTF8Buffer { own in
            key.name.withUTF8Buffer { other in own.baseAddress == other.baseAddress || own.elementsEqual(other) }
        }
    }
}

final class AttachedValueOf<Value: Sendable>: AttachedValue, @unchecked Sendable {
    // Unchecked only because its superclass is; `value` is immutable and Sendable.
    let value: Value

    init(_ value: Value, for key: CallKey<Value>) {
        self.value = value
        super.init(name: key.name, type: ObjectIdentifier(Value.self))
    }
}

/// A value for each of a fixed number of methods, found without looking at their names: at start, everything that
/// depends on the method alone is worked out, and a call finds it in a few nanoseconds.
///
/// Open addressing by the identity of the descriptor, of which there is one a method; another descriptor of the same
/// path is found by its path, which is slower.
public struct MethodMap<Value: Sendable>: Sendable {
    /// By position; nil where nothing is. Apart from the values, so that looking touches no reference count.
    private var identities: [ObjectIdentifier?]
    private var values: [Value?]
    private let mask: Int
    private var byPath: [String: Int] = [:]
    /// Kept, so that no other descriptor gets the identity of one of these.
    private let methods: [MethodDescriptor]

    /// - Parameter methods: of two with the same path, the earlier counts.
    public init(_ methods: [MethodDescriptor], _ value: (MethodDescriptor) -> Value) {
        var capacity = 8
        while capacity < methods.count * 2 { capacity *= 2 }
        self.methods = methods
        identities = Array(repeating: nil, count: capacity)
        values = Array(repeating: nil, count: capacity)
        mask = capacity - 1
        for method in methods where byPath[method.path] == nil {
            var position = home(of: method.identity)
            while identities[position] != nil { position = (position + 1) & mask }
            identities[position] = method.identity
            values[position] = value(method)
            byPath[method.path] = position
        }
    }

    /// Nil for a method that isn't one of those.
    public subscript(_ method: MethodDescriptor) -> Value? {
        let identity = method.identity
        var position = home(of: identity)
        while let found = identities[position] {
            if found == identity { return values[position] }
            position = (position + 1) & mask
        }
        return byPath[method.path].flatMap { values[$0] }
    }

    /// Where the search begins. Objects lie at multiples of sixteen, so the address is spread by a multiplication.
    private func home(of identity: ObjectIdentifier) -> Int {
        let spread = UInt64(UInt(bitPattern: identity)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: spread >> 32) & mask
    }
}

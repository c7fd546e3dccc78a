/// An input of the fuzzer as a sequence of decisions. At its end every further one is 0.
struct FuzzInput {
    private var left: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        left = bytes[...]
    }

    var isEmpty: Bool { left.isEmpty }

    mutating func byte() -> UInt8 {
        left.popFirst() ?? 0
    }

    mutating func flag() -> Bool {
        byte() & 1 == 1
    }

    /// A number below `count`.
    mutating func choice(_ count: Int) -> Int {
        Int(byte()) % count
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[choice(elements.count)]
    }

    /// Two bytes, big endian.
    mutating func number16() -> Int {
        Int(byte()) << 8 | Int(byte())
    }

    /// Four bytes, big endian.
    mutating func number32() -> UInt32 {
        UInt32(number16()) << 16 | UInt32(number16())
    }

    /// The next bytes, or as many as there are.
    mutating func take(_ count: Int) -> [UInt8] {
        let taken = left.prefix(count)
        left = left.dropFirst(count)
        return Array(taken)
    }

    /// As many of the next bytes as the first of them says.
    mutating func counted() -> [UInt8] {
        take(Int(byte()))
    }

    mutating func rest() -> [UInt8] {
        take(left.count)
    }
}

/// Changes inputs the way a fuzzer does, but always the same for the same seed.
struct Mutator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Bytes at which numbers and lengths turn into something else.
    private static let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x22, 0x5C]

    /// The input with a few changes; `other` is what pieces are taken from.
    mutating func mutate(_ input: [UInt8], with other: [UInt8], maximumLength: Int) -> [UInt8] {
        var bytes = input
        for _ in 0..<Int.random(in: 1...5, using: &self) { change(&bytes, other) }
        return Array(bytes.prefix(maximumLength))
    }

    private mutating func change(_ bytes: inout [UInt8], _ other: [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = [.random(in: .min ... .max, using: &self)]
            return
        }
        let position = Int.random(in: bytes.indices, using: &self)
        switch Int.random(in: 0..<7, using: &self) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 1: bytes[position] = .random(in: .min ... .max, using: &self)
        case 2: bytes[position] = Mutator.interesting.randomElement(using: &self) ?? 0
        case 3: bytes.insert(.random(in: .min ... .max, using: &self), at: position)
        case 4: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...8, using: &self)))
        case 5: bytes.insert(contentsOf: piece(of: bytes), at: position)
        default: bytes.insert(contentsOf: piece(of: other), at: position)
        }
    }

    private mutating func piece(of bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        let start = Int.random(in: bytes.indices, using: &self)
        return Array(bytes[start..<min(bytes.count, start + Int.random(in: 1...64, using: &self))])
    }
}

/// Frames on many streams, and then the same on the streams after those, again and again: made once, so that attackers
/// are no slower than those they attack.
struct Rounds: Sendable {
    /// How many streams a round has.
    let count: Int
    private var bytes: [UInt8] = []
    /// Where the numbers of streams are, and which of the round's.
    private var positions: [(offset: Int, index: UInt32)] = []
    private var first: UInt32 = 0

    /// - Parameter frames: what is sent on a stream; whole frames, each of which has the length it claims.
    init(of count: Int = 50, _ frames: (_ stream: UInt32) -> [UInt8]) {
        self.count = count
        for index in 0..<UInt32(count) {
            let start = bytes.count
            bytes += frames(index * 2 + 1)
            var offset = start
            while offset + 9 <= bytes.count {
                positions.append((offset + 5, index))
                offset += 9 + (Int(bytes[offset]) << 16 | Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2]))
            }
        }
    }

    /// The bytes of the next round.
    mutating func next() -> [UInt8] {
        for (offset, index) in positions {
            let stream = (first + index) * 2 + 1
            bytes[offset] = UInt8(stream >> 24)
            bytes[offset + 1] = UInt8(stream >> 16 & 0xFF)
            bytes[offset + 2] = UInt8(stream >> 8 & 0xFF)
            bytes[offset + 3] = UInt8(stream & 0xFF)
        }
        first += UInt32(count)
        return bytes
    }
}

/// Which of a message's fields, by index, have been seen. Costs nothing for the first 64.
struct FieldSet {
    private var low: UInt64 = 0
    private var high: Set<Int> = []

    /// `false` when it was there already.
    @inline(__always)
    mutating func insert(_ index: Int) -> Bool {
        guard index < UInt64.bitWidth else { return high.insert(index).inserted }
        let bit: UInt64 = 1 << UInt64(index)
        defer { low |= bit }
        return low & bit == 0
    }
}

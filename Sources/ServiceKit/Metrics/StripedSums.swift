internal import CLinux
internal import NIOCore
internal import Synchronization

/// Sums that many threads add to at the same time without taking one another's cache line away: each thread adds to a
/// stripe of its own, and reading adds the stripes up.
final class StripedSums: @unchecked Sendable {
    // Unchecked for the pointer: it is set once, what it points to is atomic, and it is freed when nobody has the object.
    private let cells: UnsafeMutablePointer<Atomic<Int64>>
    private let stripes: Int
    /// Sums of a stripe, rounded up to whole cache lines.
    private let stride: Int
    private let mask: Int

    private static let cellsPerLine = 8

    /// - Parameter count: how many sums.
    init(_ count: Int) {
        var stripes = 1
        while stripes < min(System.coreCount, 8) { stripes *= 2 }
        self.stripes = stripes
        mask = stripes - 1
        stride = (count + Self.cellsPerLine - 1) / Self.cellsPerLine * Self.cellsPerLine
        let size = stripes * stride * MemoryLayout<Atomic<Int64>>.stride
        cells = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            .bindMemory(to: Atomic<Int64>.self, capacity: stripes * stride)
        for index in 0..<stripes * stride { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: stripes * stride)
        cells.deallocate()
    }

    /// Adds to one of the sums. Wraps around beyond 2^63.
    func add(_ amount: Int64, to index: Int) {
        let stripe = Int(samtal_thread_number()) & mask
        cells[stripe * stride + index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// What has been added to that sum so far.
    subscript(_ index: Int) -> Int64 {
        var sum: Int64 = 0
        for stripe in 0..<stripes { sum &+= cells[stripe * stride + index].load(ordering: .relaxed) }
        return sum
    }
}

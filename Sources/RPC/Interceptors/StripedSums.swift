internal import Glibc
internal import NIOCore
internal import Synchronization

/// Sums that many threads add to at the same time without taking one another's cache lines away: a thread adds to one of
/// several stripes, and reading adds the stripes up.
package struct StripedSums: ~Copyable, @unchecked Sendable {
    // Unchecked for the pointer: it is set once, what it points to is atomic, and it is freed when nobody has the value.
    private let cells: UnsafeMutablePointer<Atomic<Int64>>
    /// Sums of a stripe, rounded up to whole cache lines.
    private let stride: Int

    /// More than there are event loops, so that two seldom meet.
    private static let stripes = 8
    private static let cellsPerLine = 8

    /// - Parameter count: how many sums.
    package init(_ count: Int) {
        let lines = (count + StripedSums.cellsPerLine - 1) / StripedSums.cellsPerLine
        stride = lines * StripedSums.cellsPerLine
        let capacity = stride * StripedSums.stripes
        cells = UnsafeMutableRawPointer.allocate(
            byteCount: capacity * MemoryLayout<Atomic<Int64>>.stride, alignment: 64
        ).bindMemory(to: Atomic<Int64>.self, capacity: capacity)
        for index in 0..<capacity { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: stride * StripedSums.stripes)
        cells.deallocate()
    }

    /// Where the calling thread adds. Taken once for several sums that are added to together.
    package struct Stripe {
        fileprivate let index: Int

        /// Threads' control blocks lie far apart, at addresses that have few bits in common.
        package static var own: Stripe {
            let spread = UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15
            return Stripe(index: Int(truncatingIfNeeded: spread >> 61))
        }
    }

    /// Adds to one of the sums. Wraps around beyond 2^63.
    package func add(_ amount: Int64, to index: Int, in stripe: Stripe = .own) {
        precondition(index < stride)
        cells[stripe.index * stride + index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// What has been added to that sum so far.
    package subscript(_ index: Int) -> Int64 {
        precondition(index < stride)
        var sum: Int64 = 0
        for stripe in 0..<StripedSums.stripes {
            sum &+= cells[stripe * stride + index].load(ordering: .relaxed)
        }
        return sum
    }
}

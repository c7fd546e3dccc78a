internal import Glibc
internal import Synchronization

/// The system's random numbers, fetched from the kernel some at a time: a system call for each costs more than sealing a
/// text with it. For nonces and identifiers, which are stored or handed out; keys are made one at a time.
///
/// What was given out is wiped here. A process that forks without starting another program must not use it.
struct PooledRandom: RandomNumberGenerator {
    private struct Pool: Sendable {
        /// 256 bytes: what the kernel gives at once, or not at all (getentropy(3)).
        private static let fetched = 32

        private var numbers = [UInt64](repeating: 0, count: Pool.fetched)
        private var left = 0

        mutating func next() -> UInt64 {
            if left == 0 {
                let failed = numbers.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) != 0 }
                precondition(!failed, "the kernel gives no random numbers")
                left = Pool.fetched
            }
            left -= 1
            defer { numbers[left] = 0 }
            return numbers[left]
        }
    }

    private static let pool = Mutex(Pool())

    mutating func next() -> UInt64 { Self.pool.withLock { $0.next() } }
}

internal import Glibc

/// Memory for the C structs of one message, given out from chunks and given back as a whole.
///
/// An arena belongs to one thread while it is in use. Each thread keeps one with a small chunk for the next message,
/// so that a small message costs no allocation at all.
public final class Arena {
    /// Kept between messages.
    private static let firstChunkSize = 16 * 1024
    private static let alignment = 16

    // Exclusive access isn't checked: a message of a few fields would pay for a dozen checks, and no method here calls
    // what could come back to the same arena.

    private let firstChunk: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var furtherChunks: [UnsafeMutableRawPointer] = []
    @exclusivity(unchecked) private var cursor: UnsafeMutableRawPointer
    /// Bytes left in the chunk that `cursor` points into.
    @exclusivity(unchecked) private var left: Int
    @exclusivity(unchecked) private var budget = Int.max

    private init() {
        firstChunk = .allocate(byteCount: Self.firstChunkSize, alignment: Self.alignment)
        cursor = firstChunk
        left = Self.firstChunkSize
    }

    deinit {
        reset()
        firstChunk.deallocate()
    }

    /// Memory that lives as long as the arena is lent, aligned to 16 bytes and not initialised. For data of our own,
    /// whose size nobody else decides: the budget doesn't apply.
    @usableFromInline package func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = Self.rounded(byteCount)
        if size > left {
            addChunk(holding: size)
        }
        let start = cursor
        cursor += size
        left -= size
        return start
    }

    /// As `allocate`, within the budget: `nil` when that is spent. For whatever the size of foreign input decides.
    package func allocateWithinBudget(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= 0, byteCount <= budget, Self.rounded(byteCount) <= budget else { return nil }
        budget -= Self.rounded(byteCount)
        return allocate(byteCount)
    }

    private static func rounded(_ byteCount: Int) -> Int {
        (byteCount + (alignment - 1)) & ~(alignment - 1)
    }

    private func addChunk(holding size: Int) {
        let chunkSize = max(size, Self.firstChunkSize << min(furtherChunks.count + 1, 6))
        cursor = .allocate(byteCount: chunkSize, alignment: Self.alignment)
        left = chunkSize
        furtherChunks.append(cursor)
    }

    /// What was in the first chunk is overwritten: it stays with the thread, and messages hold texts, names and keys.
    private func reset() {
        let used = furtherChunks.isEmpty ? Self.firstChunkSize - left : Self.firstChunkSize
        memset(firstChunk, 0, used)
        if !furtherChunks.isEmpty {
            for chunk in furtherChunks {
                chunk.deallocate()
            }
            furtherChunks.removeAll()
        }
        cursor = firstChunk
        left = Self.firstChunkSize
    }
}

extension Arena {
    /// This thread's arena, until `giveBack`. Borrower and giver are one function without a suspension between them.
    ///
    /// - Parameter budget: how many bytes `allocateWithinBudget` gives out.
    package static func borrow(budget: Int = .max) -> Arena {
        let arena = takeFromThread() ?? Arena()
        arena.budget = budget
        return arena
    }

    /// Everything allocated since `borrow` is gone.
    package func giveBack() {
        reset()
        leaveToThread()
    }

    /// Borrows, calls, and gives back.
    package static func lend<Result, Failure: Error>(
        budget: Int = .max, _ body: (Arena) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let arena = borrow(budget: budget)
        defer { arena.giveBack() }
        return try body(arena)
    }

    /// The slot of each thread. An arena in it is retained by it, and is in nobody's use.
    private static let threadSlot: pthread_key_t = {
        var key = pthread_key_t()
        let status = pthread_key_create(&key) { arena in
            guard let arena else { return }
            Unmanaged<Arena>.fromOpaque(arena).release()
        }
        precondition(status == 0, "no thread-specific key is left (pthread_key_create: \(status))")
        return key
    }()

    private static func takeFromThread() -> Arena? {
        guard let arena = pthread_getspecific(threadSlot) else { return nil }
        pthread_setspecific(threadSlot, nil)
        return Unmanaged<Arena>.fromOpaque(arena).takeRetainedValue()
    }

    /// An arena borrowed while another is finds the slot empty and leaves itself there; the outer one then goes.
    private func leaveToThread() {
        guard pthread_getspecific(Self.threadSlot) == nil else { return }
        pthread_setspecific(Self.threadSlot, Unmanaged.passRetained(self).toOpaque())
    }
}

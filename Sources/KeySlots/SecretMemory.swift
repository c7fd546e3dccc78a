internal import CLinux
internal import Glibc
internal import Synchronization

/// The one place in a process where keys lie: locked (never swapped out), left out of core dumps, not inherited by
/// children, and wiped cell by cell as keys are let go.
public final class SecretMemory: @unchecked Sendable {
    // Guard of `base`: a cell is touched only by the `Secret` it was given to, until it gives it back; `free` has a lock.
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let free: Mutex<[Int]>
    /// How many secrets fit.
    public let capacity: Int

    /// - Parameter capacity: secrets at the same time; each takes 32 bytes of what RLIMIT_MEMLOCK allows.
    /// - Throws: ``KeySlotError/Code/memoryNotLocked`` where the limit is lower.
    public init(capacity: Int) throws(KeySlotError) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let size = (max(capacity, 1) * Secret.byteCount + page - 1) / page * page
        guard let memory = samtal_locked_memory(size) else {
            throw KeySlotError(
                .memoryNotLocked,
                "\(size / 1024) KiB of memory for keys can't be locked: raise LimitMEMLOCK= (ulimit -l)",
                errno: errno)
        }
        base = memory
        byteCount = size
        self.capacity = size / Secret.byteCount
        free = Mutex(Array((0..<size / Secret.byteCount).reversed()))
    }

    deinit {
        // No secret is left: each holds a reference to its memory.
        samtal_wipe(base, byteCount)
        munmap(base, byteCount)
    }

    /// Secrets held now.
    public var count: Int { free.withLock { capacity - $0.count } }

    /// A new secret, filled by `fill`.
    /// - Throws: ``KeySlotError/Code/memoryNotLocked`` when all of ``capacity`` are held.
    public func secret(_ fill: (UnsafeMutableRawBufferPointer) -> Void) throws(KeySlotError) -> Secret {
        let cell = free.withLock { $0.popLast() }
        guard let cell else {
            throw KeySlotError(.memoryNotLocked, "\(capacity) keys are in memory, which is the bound")
        }
        let bytes = UnsafeMutableRawBufferPointer(
            start: base + cell * Secret.byteCount, count: Secret.byteCount)
        fill(bytes)
        return Secret(bytes: bytes, cell: cell, memory: self)
    }

    /// 256 random bits.
    public func randomSecret() throws(KeySlotError) -> Secret {
        try secret { bytes in
            var generator = SystemRandomNumberGenerator()
            for offset in stride(from: 0, to: Secret.byteCount, by: 8) {
                bytes.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
            }
        }
    }

    fileprivate func giveBack(_ cell: Int) { free.withLock { $0.append(cell) } }
}

/// A key of 256 bits in ``SecretMemory``; wiped when the last reference goes.
public final class Secret: @unchecked Sendable {
    // Guard: the bytes are written by the initialiser's caller alone, before anybody else has the reference.
    public static let byteCount = 32

    private let bytes: UnsafeMutableRawBufferPointer
    private let cell: Int
    private let memory: SecretMemory

    fileprivate init(bytes: UnsafeMutableRawBufferPointer, cell: Int, memory: SecretMemory) {
        self.bytes = bytes
        self.cell = cell
        self.memory = memory
    }

    deinit {
        samtal_wipe(bytes.baseAddress, bytes.count)
        memory.giveBack(cell)
    }

    /// The bytes, for as long as `body` runs. What copies them is to wipe its copy.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(bytes))
    }
}

// A key that ends up in a log line, an error or a test's output prints as this and nothing else.
extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "Secret(redacted)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

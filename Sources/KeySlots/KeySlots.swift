public import Foundation
internal import Synchronization

/// Keys that can be destroyed: each in a slot of a preallocated file, wrapped under a key-encryption key, and
/// overwritten in place when its time has come.
///
/// Everything runs on one queue of its own. What waits at the same time shares one `fdatasync`: a call returns when its
/// change is durable.
///
/// ```swift
/// let keys = try KeySlots(folder: "/var/lib/samtal/retention/keys", memory: SecretMemory(capacity: 4_096))
/// let key = try await keys.keyOrNew(named: KeyName("a-7f3k"))
/// let seen = try await keys.destroy([KeyName("a-7f3k")])   // [wasHeld: true, readBack: .pastPageCache, …]
/// ```
public final class KeySlots: Sendable {
    /// Slots of one extent: 1 MiB, appended when no slot is free.
    public static let slotsPerExtent = 4_096

    /// What the slots lie on, looked at when they were opened.
    public let medium: Medium
    /// Copies of slots that were torn by a crash, or damaged, and cleared when the files were opened.
    public let damagedCount: Int

    private let engine: Confined<SlotEngine>
    private let lock: FolderLock
    private let queue = DispatchQueue(label: "samtal.key-slots")
    private let waiting = Mutex<Waiting>(Waiting())

    private struct Waiting {
        var jobs: [Job] = []
        var isClosed = false
    }

    /// Opens the slots in a folder (created with mode 0700), and finishes what a crash has left half-done.
    /// - Parameters:
    ///   - outer: what the wrapping keys are sealed under; nil: they lie in their file as they are.
    ///   - now: the creation time of the first wrapping key.
    public init(
        folder: String, memory: SecretMemory, outer: OuterKey? = nil, now: Date = Date(),
        slotsPerExtent: Int = KeySlots.slotsPerExtent
    ) throws(KeySlotError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw KeySlotError(.inputOutput, "the folder of the key slots can't be made")
        }
        lock = try FolderLock(folder: folder)
        let engine = try SlotEngine(
            folder: folder, memory: memory, outer: outer, slotsPerExtent: slotsPerExtent, now: now)
        var medium = Medium.look(at: folder)
        medium.risks.formUnion(engine.risks)
        self.medium = medium
        damagedCount = engine.damagedCount
        self.engine = Confined(engine)
    }

    /// The key of that name; nil if there is none, or its destruction was asked for.
    public func key(named name: KeyName) async throws(KeySlotError) -> Secret? {
        try await perform { engine throws(KeySlotError) in try engine.key(named: name) }
    }

    /// The key of that name, made now if there is none; durable when this returns.
    public func keyOrNew(named name: KeyName) async throws(KeySlotError) -> Secret {
        try await stage { engine throws(KeySlotError) in
            if let key = try engine.key(named: name) { return Staged(conclude: { _ in key }) }
            let key = try engine.stageKey(named: name)
            return Staged(conclude: { _ in key }, undo: { $0.abandonKey(named: name) })
        }
    }

    /// Destroys keys for ever: when this returns, each slot is overwritten where it lay and was read back. Nobody is
    /// given such a key from the moment that this is called, whether or not it succeeds; call it again if it fails, or
    /// after a crash: each slot keeps a mark of its destruction until ``forget(_:)``, and the answer is the same.
    /// - Returns: What was seen, in the order of the names.
    public func destroy(_ names: [KeyName]) async throws(KeySlotError) -> [SlotDestruction] {
        try await stage { engine throws(KeySlotError) in
            var overwritings: [SlotEngine.Overwriting?] = []
            for name in names { overwritings.append(try engine.stageDestruction(of: name)) }
            return Staged(conclude: { engine throws(KeySlotError) in try engine.concludeDestructions(overwritings) })
        }
    }

    /// What was seen of these keys' destruction is on record: their slots may be used again.
    public func forget(_ names: [KeyName]) async throws(KeySlotError) {
        try await perform { engine throws(KeySlotError) in
            for name in names { engine.forgetMark(of: name) }
        }
    }

    /// The names of keys that were destroyed and are not forgotten.
    public func destroyedNames() async throws(KeySlotError) -> Set<KeyName> {
        try await perform { engine throws(KeySlotError) in Set(engine.marks) }
    }

    /// The names of all keys that are held.
    public func names() async throws(KeySlotError) -> Set<KeyName> {
        try await perform { engine throws(KeySlotError) in Set(engine.names) }
    }

    /// How many keys are held, of how many slots.
    public func counts() async throws(KeySlotError) -> (keys: Int, slots: Int) {
        try await perform { engine throws(KeySlotError) in (engine.count, engine.slotCount) }
    }

    /// When the wrapping key in use was made.
    public func wrappingKeyCreateTime() async throws(KeySlotError) -> Date {
        try await perform { engine throws(KeySlotError) in engine.wrappingKeyCreateTime }
    }

    /// Makes a new wrapping key, wraps every key anew, and overwrites the old one: copies of the slots that were made
    /// before can't be opened any more. Others are served in between. One that was interrupted goes on.
    public func changeWrappingKey(now: Date = Date()) async throws(KeySlotError) {
        try await perform { engine throws(KeySlotError) in try engine.beginChange(now: now) }
        try await finishChange()
    }

    /// Whether the wrapping key in use lies in its file as it is, although there is an ``OuterKey`` now: a change seals it.
    public func isSealingDue() async throws(KeySlotError) -> Bool {
        try await perform { engine throws(KeySlotError) in engine.isSealingDue }
    }

    /// Goes on with a change of the wrapping key that was interrupted.
    public func finishInterruptedChange() async throws(KeySlotError) {
        let isUnfinished = try await perform { engine throws(KeySlotError) in engine.isChangingWrappingKey }
        if isUnfinished { try await finishChange() }
    }

    private func finishChange() async throws(KeySlotError) {
        var extent = 0
        var hasMore = true
        while hasMore {
            hasMore = try await perform { [extent] engine throws(KeySlotError) in try engine.rewrapExtent(extent) }
            extent += 1
        }
        try await perform { engine throws(KeySlotError) in try engine.endChange() }
    }

    /// Finishes what waits, and takes nothing more.
    public func close() async {
        waiting.withLock { $0.isClosed = true }
        await withCheckedContinuation { continuation in
            queue.async {
                self.drain()
                self.lock.release()
                continuation.resume()
            }
        }
    }

    // MARK: The queue

    private struct Staged<Value: Sendable> {
        /// After the change is durable.
        var conclude: (SlotEngine) throws(KeySlotError) -> Value
        /// If it could not be made durable.
        var undo: (SlotEngine) -> Void = { _ in }
    }

    /// What waits: begun with the others, then one `fdatasync`, then ended with the others.
    private struct Job: Sendable {
        /// - Returns: how to end it; nil if it needs no `fdatasync` and has answered already.
        var begin: @Sendable (SlotEngine) -> ((SlotEngine, KeySlotError?) -> Void)?
        /// Answers that nothing was done.
        var refuse: @Sendable (KeySlotError) -> Void
    }

    /// Work that is done when it returns.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (SlotEngine) throws(KeySlotError) -> Value
    ) async throws(KeySlotError) -> Value {
        try await enqueue { answer in
            Job(
                begin: { engine in
                    answer(Result { () throws(KeySlotError) in try body(engine) })
                    return nil
                }, refuse: { answer(.failure($0)) })
        }
    }

    /// Work that is done when it is durable.
    private func stage<Value: Sendable>(
        _ body: @escaping @Sendable (SlotEngine) throws(KeySlotError) -> Staged<Value>
    ) async throws(KeySlotError) -> Value {
        try await enqueue { answer in
            Job(
                begin: { engine in
                    do throws(KeySlotError) {
                        let staged = try body(engine)
                        return { engine, failure in
                            if let failure {
                                staged.undo(engine)
                                answer(.failure(failure))
                            } else {
                                answer(Result { () throws(KeySlotError) in try staged.conclude(engine) })
                            }
                        }
                    } catch {
                        answer(.failure(error))
                        return nil
                    }
                }, refuse: { answer(.failure($0)) })
        }
    }

    private func enqueue<Value: Sendable>(
        _ job: (@escaping @Sendable (Result<Value, KeySlotError>) -> Void) -> Job
    ) async throws(KeySlotError) -> Value {
        let result: Result<Value, KeySlotError> = await withCheckedContinuation { continuation in
            let job = job { continuation.resume(returning: $0) }
            let isFirst = waiting.withLock { waiting -> Bool? in
                if waiting.isClosed { return nil }
                waiting.jobs.append(job)
                return waiting.jobs.count == 1
            }
            switch isFirst {
            case nil: job.refuse(KeySlotError(.closed, "the key slots are closed"))
            case true?: queue.async { self.drain() }
            case false?: break
            }
        }
        return try result.get()
    }

    /// On the queue: does all that waits, with one `fdatasync`.
    private func drain() {
        let jobs = waiting.withLock { waiting in
            defer { waiting.jobs = [] }
            return waiting.jobs
        }
        let engine = engine.value
        let endings = jobs.compactMap { $0.begin(engine) }
        guard !endings.isEmpty else { return }
        let failure: KeySlotError?
        do throws(KeySlotError) {
            try engine.stageClearing()
            try engine.synchronise()
            engine.concludeClearing()
            failure = nil
        } catch {
            failure = error
        }
        for end in endings { end(engine, failure) }
    }
}

/// A value that one queue alone touches.
private struct Confined<Value>: @unchecked Sendable {
    // Guard: `KeySlots.queue`, once the initialiser has returned.
    let value: Value

    init(_ value: Value) { self.value = value }
}

/// An advisory lock on a folder, given back by closing, or when the process ends, however it ends.
private final class FolderLock: Sendable {
    private let descriptor: CInt

    init(folder: String) throws(KeySlotError) {
        descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw KeySlotError(.inputOutput, "the lock of the key slots can't be opened", errno: errno)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            throw KeySlotError(.locked, "the key slots are open in another process; end that one first", errno: reason)
        }
    }

    func release() { flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}

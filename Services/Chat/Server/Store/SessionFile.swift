internal import ChatCore
internal import Storage
internal import Synchronization

/// One session's file, open or not, and what waits for it.
///
/// `@unchecked`: `content` is used only by whoever runs the session's turn, which `queue` gives to one at a time.
final class SessionFile: @unchecked Sendable {
    /// Another object has taken this one's place: look it up again.
    struct Retired: Error {}

    let id: String
    /// On whose account it waits for a thread, and takes room.
    let organisation: String
    private let path: String
    private let files: OpenFiles
    private let queue = Mutex(SessionQueue())
    private var content: SessionContent?
    let lastUse = Atomic<UInt64>(0)

    init(_ id: String, of organisation: String, at path: String, in files: OpenFiles) {
        self.id = id
        self.organisation = organisation
        self.path = path
        self.files = files
    }

    /// Runs in a transaction with what waits at the same time, and returns when it is durable.
    func write<T: Sendable>(_ body: @escaping @Sendable (SessionContent) throws -> T) async throws -> T {
        try await add(body) { queue, work in queue.add(write: work) }
    }

    /// Sees what is committed.
    func read<T: Sendable>(_ body: @escaping @Sendable (SessionContent) throws -> T) async throws -> T {
        try await add(body) { queue, work in queue.add(read: work) ? .turn : .nothing }
    }

    /// Has the files to itself, after whatever has begun and before whatever waits. Is never refused.
    func alone<T: Sendable>(_ body: @escaping @Sendable (SessionFile) throws -> T) async throws -> T {
        try await withUnsafeThrowingContinuation { continuation in
            let isDue = queue.withLock { queue in
                if queue.isRetired { return Bool?.none }
                return queue.add(
                    alone: LoneWork(
                        run: { continuation.resume(with: Result { try body(self) }) },
                        refuse: { continuation.resume(throwing: $0) }))
            }
            guard let isDue else { return continuation.resume(throwing: Retired()) }
            if isDue { schedule() }
        }
    }

    private func add<T: Sendable>(
        _ body: @escaping @Sendable (SessionContent) throws -> T,
        _ add: (inout SessionQueue, SessionWork) -> SessionQueue.Need
    ) async throws -> T {
        let outcome: SessionWork.Outcome<T> = await withUnsafeContinuation { continuation in
            let work = SessionWork(continuation, body)
            let outcome = queue.withLock { queue in
                Result<SessionQueue.Need, any Error> {
                    if queue.isRetired { throw Retired() }
                    if let refusal = queue.refusal { throw refusal }
                    try files.admit(organisation, waiting: queue.waiting)
                    return add(&queue, work)
                }
            }
            switch outcome {
            case .success(.turn): schedule()
            case .success(.gathering): files.whenGathered { self.endGathering() }
            case .success(.nothing): break
            case .failure(let error): work.refuse(error)
            }
        }
        outcome.others?.wake()
        return try outcome.result.get()
    }

    private func endGathering() {
        if queue.withLock({ $0.endGathering() }) { schedule() }
    }

    /// How much waits.
    var waiting: Int { queue.withLock { $0.waiting } }

    /// Whether the file is open, as far as one can tell from outside its turns.
    var isOpen: Bool { files.isOpen(self) }

    /// Lets nobody in any more. What waits is refused, what has begun goes on.
    func refuse(_ error: any Error) {
        let refused = queue.withLock { $0.refuse(error) }
        files.done(organisation, refused.count)
        for work in refused { work.refuse(error) }
    }

    /// - Parameter isNext: A turn is about to end, whose thread goes on with this one.
    private func schedule(isNext: Bool = false) {
        guard !files.workers.run(for: organisation, isNext: isNext, { self.takeTurn() }) else { return }
        let closed = StorageError(.closed, "the store is closed")
        let refused = queue.withLock { $0.stop(closed) }
        files.done(organisation, refused.works.count)
        for work in refused.works { work.refuse(closed) }
        for work in refused.alone { work.refuse(closed) }
    }
}

extension SessionFile {
    private func takeTurn() {
        guard let turn = queue.withLock({ $0.begin() }) else { return }
        files.noteUse(of: self)
        switch turn {
        case .alone(let work): work.run()
        case .work(let writes, let reads):
            files.done(organisation, writes.count + reads.count)
            run(writes, reads)
        }
        end(isNext: true)
    }

    private func run(_ writes: [SessionWork], _ reads: [SessionWork]) {
        do {
            let content = try opened()
            try content.use {
                if !writes.isEmpty { content.commit(writes) }
                for read in reads { content.commit([read]) }
            }
            files.noteSize(of: self, content.outline.counts.questions)
            if let damage = content.damage { setAside(damage) }
        } catch {
            let error = understood(error)
            for work in writes + reads { work.refuse(error) }
        }
    }

    private func end(isNext: Bool = false) {
        let (isDue, isRetired) = queue.withLock { queue in (queue.end(isOpen: content != nil), queue.isRetired) }
        if isDue { schedule(isNext: isNext) }
        if isRetired { files.remove(self) }
    }

    /// For whoever runs the turn.
    private func opened() throws -> SessionContent {
        if let content { return content }
        files.makeRoom(for: self)
        do {
            let opened = try SessionContent(of: id, at: path)
            content = opened
            return opened
        } catch {
            files.noteClosed(self)
            throw error
        }
    }

    /// What kept the file from being opened, to callers. One that is damaged is not tried again.
    private func understood(_ error: any Error) -> any Error {
        guard let error = error as? StorageError else { return error }
        switch error.code {
        case .missing: return ChatError.contentLost
        case .corrupt, .newerSchema:
            setAside(error)
            return ChatError.damaged
        default: return error
        }
    }

    private func setAside(_ error: StorageError) {
        close()
        files.reports.damaged(self, error)
        refuse(ChatError.damaged)
    }
}

// For whoever has the files to themselves.
extension SessionFile {
    /// Creates the file and leaves it open.
    func create(_ session: StoredSession) throws {
        files.makeRoom(for: self)
        do {
            content = try SessionContent(creating: session, at: path)
        } catch {
            files.noteClosed(self)
            throw error
        }
    }

    /// Lets another file, which says the same, take this one's place, and goes on with it.
    func exchange(complete: (SessionContent) throws -> StoredSession, replace: () throws -> Void) throws
        -> StoredSession
    {
        let content = try opened()
        let session = try content.use { try complete(content) }
        var outline = content.outline
        outline.noteSession(session)
        close()
        // The log goes with the last connection. Left behind, it would be taken for the other file's.
        try replace()
        files.makeRoom(for: self)
        do {
            self.content = try SessionContent(at: path, outlined: outline)
        } catch {
            files.noteClosed(self)
            throw error
        }
        files.noteSize(of: self, outline.counts.questions)
        return session
    }

    /// What the file says of its session, without reading it through.
    func session() throws -> StoredSession { try SessionContent.session(id, at: path) }

    /// How much the session holds, as far as the file can tell.
    func counts() -> ContentCounts? {
        content?.outline.counts ?? (try? SessionContent.counts(of: id, at: path))
    }

    func close() {
        guard let content else { return }
        content.close()
        self.content = nil
        files.noteClosed(self)
    }

    /// Closes the file if nobody is at it.
    func closeIfIdle() {
        guard queue.withLock({ $0.beginClosing() }) else { return }
        close()
        end()
    }
}

internal import ChatCore
internal import Storage
internal import Synchronization

/// The sessions' files that are in use: a bounded number of them open, the least recently used closed first.
///
/// When there is no room, the organisation that has the most files open gives one up, so that nobody loses theirs to
/// somebody who has more. A file that somebody is at is never closed.
final class OpenFiles: Sendable {
    private struct State: Sendable {
        var files: [String: SessionFile] = [:]
        /// The open ones, by organisation, with the questions that each holds in memory.
        var open: [String: [String: Int]] = [:]
        var openCount = 0
        var questions = 0
    }

    let workers: Workers
    let reports: StoreReports
    /// Runs something once the calls that were read together have begun, so that their writes share a transaction.
    let whenGathered: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let folder: DatabaseFolder
    private let limits: StoreLimits
    private let state = Mutex(State())
    private let backlog: Mutex<Backlog>
    private let uses = Atomic<UInt64>(0)

    init(
        in folder: DatabaseFolder, limits: StoreLimits, reports: StoreReports,
        whenGathered: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.whenGathered = whenGathered
        self.folder = folder
        self.limits = limits
        self.reports = reports
        workers = Workers(count: limits.threads)
        backlog = Mutex(Backlog(limits))
    }

    static func name(of id: String) -> String { id + ".sqlite" }

    /// The one of a session, if it is in use.
    func find(_ id: String) -> SessionFile? { state.withLock { $0.files[id] } }

    func findOrAdd(_ id: String, of organisation: String) -> SessionFile {
        state.withLock { state in
            if let file = state.files[id] { return file }
            let file = SessionFile(id, of: organisation, at: folder.path(of: Self.name(of: id)), in: self)
            state.files[id] = file
            return file
        }
    }

    func remove(_ file: SessionFile) {
        state.withLock { state in
            if state.files[file.id] === file { state.files[file.id] = nil }
        }
    }

    func isOpen(_ file: SessionFile) -> Bool { state.withLock { $0.open[file.organisation]?[file.id] != nil } }

    var openCount: Int { state.withLock { $0.openCount } }

    /// Closes whatever is open. Nothing may be added any more.
    func close() {
        workers.stop()
        for file in state.withLock({ Array($0.files.values) }) { file.closeIfIdle() }
    }
}

// Room for open files.
extension OpenFiles {
    func noteUse(of file: SessionFile) {
        file.lastUse.store(uses.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
    }

    /// A file is about to be opened by the thread that calls.
    func makeRoom(for file: SessionFile) {
        let chosen = state.withLock { state in
            if state.open[file.organisation, default: [:]].updateValue(0, forKey: file.id) == nil {
                state.openCount += 1
            }
            return victims(in: state, sparing: file)
        }
        for victim in chosen { victim.closeIfIdle() }
    }

    /// A file that is open holds this many questions in memory.
    func noteSize(of file: SessionFile, _ questions: Int) {
        let chosen = state.withLock { state -> [SessionFile] in
            guard let known = state.open[file.organisation]?[file.id], known != questions else { return [] }
            state.open[file.organisation]?[file.id] = questions
            state.questions += questions - known
            return state.questions > limits.questionsInMemory ? victims(in: state, sparing: file) : []
        }
        for victim in chosen { victim.closeIfIdle() }
    }

    func noteClosed(_ file: SessionFile) {
        state.withLock { state in
            guard let questions = state.open[file.organisation]?.removeValue(forKey: file.id) else { return }
            if state.open[file.organisation]?.isEmpty == true { state.open[file.organisation] = nil }
            state.openCount -= 1
            state.questions -= questions
        }
    }

    /// As many as have to be closed: of whoever has the most, the least recently used.
    private func victims(in state: State, sparing spared: SessionFile) -> [SessionFile] {
        var (files, questions) = (state.openCount - limits.openFiles, state.questions - limits.questionsInMemory)
        guard files > 0 || questions > 0 else { return [] }
        var open = state.open
        open[spared.organisation]?[spared.id] = nil
        var victims: [SessionFile] = []
        while files > 0 || questions > 0 {
            let byMemory = files <= 0
            let most = open.max { one, other in
                Self.holding(one.value, byMemory: byMemory) < Self.holding(other.value, byMemory: byMemory)
            }
            guard let most else { break }
            let oldest = most.value.keys.compactMap { state.files[$0] }
                .min { $0.lastUse.load(ordering: .relaxed) < $1.lastUse.load(ordering: .relaxed) }
            guard let oldest else { break }
            victims.append(oldest)
            files -= 1
            questions -= open[most.key]?.removeValue(forKey: oldest.id) ?? 0
            if open[most.key]?.isEmpty == true { open[most.key] = nil }
        }
        return victims
    }

    private static func holding(_ files: [String: Int], byMemory: Bool) -> Int {
        byMemory ? files.values.reduce(0, +) : files.count
    }
}

// Room for what waits.
extension OpenFiles {
    /// - Parameter waiting: For the same session.
    /// - Throws: ``ChatError``, with the bound that is reached.
    func admit(_ organisation: String, waiting: Int) throws(ChatError) {
        do throws(ChatError) {
            guard waiting < limits.waitingOfSession else { throw .tooMuchWaiting("waiting-of-session") }
            try backlog.withLock { backlog throws(ChatError) in try backlog.add(organisation) }
        } catch {
            reports.refused(error.bound)
            throw error
        }
    }

    func done(_ organisation: String, _ count: Int) {
        if count > 0 { backlog.withLock { $0.remove(organisation, count) } }
    }
}

/// How much waits, in all and by organisation. The last quarter is for organisations that have an eighth of it waiting at
/// most, so that one with a burst does not have the others refused.
struct Backlog: Sendable {
    static let bounds = ["waiting", "waiting-of-organisation", "waiting-of-session"]

    private let most: Int
    private var all = 0
    private var byOrganisation: [String: Int] = [:]

    init(_ limits: StoreLimits) { most = limits.waiting }

    mutating func add(_ organisation: String) throws(ChatError) {
        guard all < most else { throw .tooMuchWaiting("waiting") }
        let own = byOrganisation[organisation, default: 0]
        guard all * 4 < most * 3 || own < max(most / 8, 1) else { throw .tooMuchWaiting("waiting-of-organisation") }
        all += 1
        byOrganisation[organisation] = own + 1
    }

    mutating func remove(_ organisation: String, _ count: Int) {
        all -= count
        let left = byOrganisation[organisation, default: 0] - count
        byOrganisation[organisation] = left > 0 ? left : nil
    }
}

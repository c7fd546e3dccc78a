internal import ChatCore
internal import Contracts
internal import Privacy
internal import RPC
internal import ServiceKit
internal import Synchronization

/// Carries committed changes to whoever follows a session. Holds nothing for a session that nobody follows.
///
/// Changes are published on the writer's thread, in the order of the commits. A watcher registers first and reads the
/// present state after: what was committed before the reading is in it, what comes later is in the watcher's queue, and
/// what is in both has a sequence that the reading has reached.
package final class LiveFeed: Sendable {
    private struct Hub: Sendable {
        var cipher: SessionCipher
        var watchers: [Audience: [UInt64: Watcher]] = [:]

        var all: [Watcher] { watchers.values.flatMap(\.values) }

        mutating func add(_ watcher: Watcher) {
            watchers[watcher.audience, default: [:]][watcher.number] = watcher
        }

        mutating func remove(_ watcher: Watcher) {
            guard watchers[watcher.audience]?.removeValue(forKey: watcher.number) != nil else { return }
            if watchers[watcher.audience]?.isEmpty == true { watchers[watcher.audience] = nil }
        }
    }

    private struct State: Sendable {
        var hubs: [String: Hub] = [:]
        var nextNumber: UInt64 = 0
        var isDraining = false
    }

    let epoch: FeedEpoch
    private let state = Mutex(State())
    private let limits: ChatLimits
    private let places: WatcherPlaces

    /// - Parameter epoch: Of the store.
    init(epoch: FeedEpoch, limits: ChatLimits, places: WatcherPlaces) {
        self.epoch = epoch
        self.limits = limits
        self.places = places
    }

    /// - Throws: ``ChatError/resume`` while the service drains, ``ChatError/tooManyWatchers(_:)``.
    func follow(_ session: OpenedSession, as audience: Audience, by principal: Principal) throws(ChatError) -> Watcher {
        if isDraining { throw .resume }
        let place = try places.watcher(of: session, as: audience, by: principal)
        return try state.withLock { state throws(ChatError) in
            guard !state.isDraining else { throw .resume }
            state.nextNumber += 1
            let watcher = Watcher(
                number: state.nextNumber, sessionID: session.id, audience: audience, place: place,
                capacity: limits.changesPerWatcher)
            // In place: a copy of the hub would cost as much as it has watchers.
            state.hubs[session.id, default: Hub(cipher: session.cipher)].add(watcher)
            return watcher
        }
    }

    func leave(_ watcher: Watcher) {
        watcher.place.giveBack()
        state.withLock { state in
            state.hubs[watcher.sessionID]?.remove(watcher)
            if state.hubs[watcher.sessionID]?.watchers.isEmpty == true { state.hubs[watcher.sessionID] = nil }
        }
    }

    /// Tells a session's watchers of one change. An event is encoded once for all who see the same.
    /// - Parameters:
    ///   - audiences: Whom the change may concern.
    ///   - view: What the change is to an audience.
    ///   - keyVersion: Of the content key that opens it; nil: it is open. Who began to follow with another one resumes.
    ///   - shown: Makes the message for those who see it; called at most once, and only if there are any.
    func publish(
        sequence: Int64, in sessionID: String, to audiences: [Audience], view: (Audience) -> QuestionView,
        removed questionID: String, keyVersion: Int?,
        shown: (SessionCipher) throws(ChatError) -> ChatV1.SessionEvent.Change
    ) {
        guard let hub = state.withLock({ $0.hubs[sessionID] }) else { return }
        var encoded: [QuestionView: EncodedMessage<ChatV1.SessionEvent>] = [:]
        for audience in audiences {
            guard let watchers = hub.watchers[audience] else { continue }
            let view = view(audience)
            guard view != .hidden else { continue }
            do throws(ChatError) {
                let message: EncodedMessage<ChatV1.SessionEvent>
                if let known = encoded[view] {
                    message = known
                } else {
                    if view == .shown, let keyVersion, hub.cipher.version != keyVersion { throw .resume }
                    let change = view == .removed ? .removedQuestionID(questionID) : try shown(hub.cipher)
                    message = EncodedMessage(event(change, at: sequence))
                    encoded[view] = message
                }
                for watcher in watchers.values { watcher.offer(Watcher.Change(sequence: sequence, message: message)) }
            } catch {
                for watcher in watchers.values { watcher.end(error) }
            }
        }
    }

    /// An event with the position to resume after.
    func event(_ change: ChatV1.SessionEvent.Change, at sequence: Int64) -> ChatV1.SessionEvent {
        ChatV1.SessionEvent(position: FeedPosition(epoch: epoch, sequence: sequence).text, change: change)
    }

    /// From now on questions are sealed under another content key.
    func noteKeyChange(of sessionID: String, cipher: SessionCipher) {
        state.withLock { $0.hubs[sessionID]?.cipher = cipher }
    }

    /// Ends all streams of a session.
    func end(_ sessionID: String, _ reason: ChatError) {
        for watcher in state.withLock({ $0.hubs[sessionID]?.all ?? [] }) { watcher.end(reason) }
    }

    /// Tells all watchers to resume elsewhere or later, and takes no more.
    package func drain() {
        let watchers = state.withLock { state in
            state.isDraining = true
            return state.hubs.values.flatMap(\.all)
        }
        for watcher in watchers { watcher.end(.resume) }
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// The sessions that somebody follows.
    var followed: [String] { state.withLock { Array($0.hubs.keys) } }

    /// How many streams there are.
    package var watcherCount: Int { state.withLock { state in state.hubs.values.reduce(0) { $0 + $1.all.count } } }
}

extension LiveFeed {
    func publish(_ question: QuestionRecord, in sessionID: String) {
        publish(
            sequence: question.lastSequence, in: sessionID, to: Audience.concerned(byQuestionOf: question.author),
            view: { $0.view(of: question.state, wasPublished: question.wasPublished) }, removed: question.id,
            keyVersion: question.keyVersion
        ) { cipher throws(ChatError) in
            .question(try Messages.question(question, opening: cipher))
        }
    }

    /// - Parameters:
    ///   - question: Just asked, so pending.
    ///   - author: The digest of who asked.
    func publish(asked question: ChatV1.Question, by author: [UInt8], sequence: Int64, in sessionID: String) {
        publish(
            sequence: sequence, in: sessionID, to: Audience.concerned(byQuestionOf: author),
            view: { $0.view(of: .pending, wasPublished: false) }, removed: question.questionID, keyVersion: nil
        ) { _ throws(ChatError) in
            .question(question)
        }
    }

    func publish(_ session: StoredSession) {
        publish(
            sequence: session.lastSequence, in: session.record.id, to: Audience.concernedBySession,
            view: { _ in .shown }, removed: "", keyVersion: session.keyVersion
        ) { cipher throws(ChatError) in
            .session(Messages.session(try OpenedSession(stored: session, cipher: cipher)))
        }
    }
}

package import Privacy

/// One event of a session's feed.
package struct FeedEvent<Payload: Sendable>: Sendable {
    /// What the event is about. A later event about the same subject replaces the earlier one.
    package enum Subject: Sendable, Hashable {
        case session
        case question(id: String)
    }

    package var sequence: Int64
    package var subject: Subject
    /// The question may no longer be seen: only those who might have seen it need to hear.
    package var isRemoval: Bool
    package var payload: Payload
    /// Bytes of the payload, counted against the state's bound.
    package var size: Int

    package init(sequence: Int64, subject: Subject, isRemoval: Bool = false, payload: Payload, size: Int) {
        self.sequence = sequence
        self.subject = subject
        self.isRemoval = isRemoval
        self.payload = payload
        self.size = size
    }
}

/// The present state of a session as its followers see it: the latest event about each subject, in the order of
/// their sequence numbers. What an event replaces is dropped, so a text that was changed or removed is gone from here.
package struct FeedState<Payload: Sendable>: Sendable {
    package enum Outcome: Sendable, Equatable {
        /// New: followers are to be told.
        case news
        /// Known already.
        case known
        /// The state would grow over its bound; it is unchanged.
        case full
    }

    private struct Entry: Sendable {
        var sequence: Int64
        /// nil once a later event replaced it; swept out now and then.
        var event: FeedEvent<Payload>?
    }

    private let byteLimit: Int
    private var entries: [Entry] = []
    private var sequences: [FeedEvent<Payload>.Subject: Int64] = [:]
    private var replaced = 0

    package private(set) var byteCount = 0
    /// The store's, once an event has come.
    package private(set) var epoch: FeedEpoch?
    /// The highest sequence number seen.
    package private(set) var lastSequence: Int64 = 0
    /// Whether all that happened before the feed began has arrived.
    package private(set) var isCaughtUp = false

    package init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Where upstream is to go on after a break. Before it has caught up the order is upstream's own, so nothing but
    /// the beginning is safe.
    package var resumePosition: FeedPosition? { isCaughtUp ? lastPosition : nil }

    /// Up to which everything is here; nil before anything is.
    package var lastPosition: FeedPosition? { epoch.map { FeedPosition(epoch: $0, sequence: lastSequence) } }

    /// Whether an event of this epoch goes on what is here.
    package mutating func continues(in epoch: FeedEpoch) -> Bool {
        self.epoch = self.epoch ?? epoch
        return self.epoch == epoch
    }

    package var subjectCount: Int { sequences.count }

    package mutating func apply(_ event: FeedEvent<Payload>) -> Outcome {
        let earlier = sequences[event.subject]
        if let earlier, earlier >= event.sequence { return .known }
        let freed = earlier.flatMap { position(of: $0, event.subject) }.flatMap { entries[$0].event?.size } ?? 0
        guard byteCount - freed + event.size <= byteLimit else { return .full }
        if let earlier, let index = position(of: earlier, event.subject) {
            entries[index].event = nil
            replaced += 1
        }
        byteCount += event.size - freed
        sequences[event.subject] = event.sequence
        lastSequence = max(lastSequence, event.sequence)
        insert(Entry(sequence: event.sequence, event: event))
        sweepIfWorthwhile()
        return .news
    }

    /// Upstream has sent all that had happened before.
    ///
    /// - Parameter sequence: upstream's own, which may be higher than that of any event seen here.
    package mutating func catchUp(sequence: Int64) {
        lastSequence = max(lastSequence, sequence)
        isCaughtUp = true
    }

    /// What someone has missed, in order.
    ///
    /// Who has seen nothing is not told of removals. A position of another epoch, or from the future (the store was
    /// restored), is worth nothing: all is sent, and the follower has to forget what it saw before.
    package func replay(after point: ServerSentEvent.ResumePoint) -> (isReset: Bool, missed: [Payload]) {
        switch point {
        case .after(let position) where position.epoch == epoch && position.sequence <= lastSequence:
            (false, payloads(after: position.sequence, removals: position.sequence > 0))
        case .after: (true, payloads(after: 0, removals: false))
        case .beginning: (false, payloads(after: 0, removals: false))
        }
    }

    private func payloads(after sequence: Int64, removals: Bool) -> [Payload] {
        entries[firstIndex(after: sequence)...].compactMap { entry in
            guard let event = entry.event, removals || !event.isRemoval else { return nil }
            return event.payload
        }
    }

    private func firstIndex(after sequence: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].sequence > sequence { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func position(of sequence: Int64, _ subject: FeedEvent<Payload>.Subject) -> Int? {
        var index = firstIndex(after: sequence)
        while index > 0, entries[index - 1].sequence == sequence {
            index -= 1
            if entries[index].event?.subject == subject { return index }
        }
        return nil
    }

    private mutating func insert(_ entry: Entry) {
        entries.insert(entry, at: firstIndex(after: entry.sequence))
    }

    private mutating func sweepIfWorthwhile() {
        guard replaced > 64, replaced > entries.count / 2 else { return }
        entries.removeAll { $0.event == nil }
        replaced = 0
    }
}

import RetentionCore
import Synchronization

/// Which sessions are finished next: organisations take turns.
extension ErasureScheduler {
    /// Sessions are looked up in pages of this size.
    private static let page = 200

    /// The sessions of one organisation that are not finished, in the order of their ids, looked up as they are needed.
    private struct Line {
        let organisation: String
        private var page: ArraySlice<String> = []
        private var last = ""
        private var isComplete = false

        init(_ organisation: String) { self.organisation = organisation }

        mutating func next(in store: RetentionStore) async throws -> String? {
            if page.isEmpty, !isComplete {
                let found = try await store.unfinished(
                    of: organisation, after: last, limit: ErasureScheduler.page)
                page = found[...]
                isComplete = found.count < ErasureScheduler.page
                last = found.last ?? last
            }
            return page.popFirst()
        }
    }

    private enum Choice {
        case taken
        /// It is being worked on, or waits to be tried again.
        case notNow
        /// Its organisation has as many at work as it may.
        case organisationWaits
        case noRoom
    }

    /// Chooses sessions that are neither being worked on nor waiting to be tried again, as many as there is room for: of
    /// each organisation one, then of each another. The first turn is that of the organisation after the last one that had
    /// one.
    func takeUnfinished() async throws -> [String] {
        let organisations = try await store.organisationsErasing()
        let lastTurn = attempts.withLock { $0.lastTurn }
        var lines = (organisations.filter { $0 > lastTurn } + organisations.filter { $0 <= lastTurn }).map(Line.init)
        var chosen: [String] = []
        var hasSeenAll = true
        while !lines.isEmpty {
            var going: [Line] = []
            for var line in lines {
                search: while true {
                    guard let id = try await line.next(in: store) else { break search }
                    switch choose(id, of: line.organisation) {
                    case .taken:
                        chosen.append(id)
                        going.append(line)
                        break search
                    case .notNow: continue search
                    case .organisationWaits:
                        hasSeenAll = false
                        break search
                    case .noRoom: return chosen
                    }
                }
            }
            lines = going
        }
        if hasSeenAll { forgetFinished() }
        return chosen
    }

    private func choose(_ id: String, of organisation: String) -> Choice {
        attempts.withLock { attempts in
            guard attempts.running.count < configuration.concurrency else { return .noRoom }
            guard attempts.running[id] == nil, isDue(attempts.failures[id]?.retryTime) else { return .notNow }
            guard attempts.running.values.count(where: { $0 == organisation }) < configuration.concurrencyOfOrganisation
            else { return .organisationWaits }
            attempts.running[id] = organisation
            attempts.lastTurn = organisation
            return .taken
        }
    }

    /// Whatever is due and was not found has been finished by somebody else.
    private func forgetFinished() {
        attempts.withLock { attempts in
            attempts.failures = attempts.failures.filter { id, failure in
                attempts.running[id] != nil || !isDue(failure.retryTime)
            }
        }
    }

    private func isDue(_ time: ContinuousClock.Instant?) -> Bool {
        time.map { $0 <= .now } ?? true
    }
}

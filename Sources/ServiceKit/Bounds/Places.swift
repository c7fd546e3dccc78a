internal import Synchronization

/// Places that several share: so many in all, and so many for each who holds some of them.
///
/// Whoever takes a place says on whose account: a token's, an organisation's, a client's, each with a bound of its own. A
/// place counts on all of these accounts until it is given back.
///
/// When three quarters of all places are taken they are *crowded*: from then on an account that holds
/// ``Bound/whenCrowded`` gets no more. So the last quarter is for those who hold few, and only many who each hold little
/// can use all of it up. Nobody loses what they have.
public final class Places: Sendable {
    /// On whose account a place is taken.
    public struct Account: Sendable, Hashable {
        let bound: Bound
        let holder: String

        /// - Parameter holder: stays in this process's memory, for as long as the place is taken.
        public init(_ bound: Bound, of holder: String) {
            self.bound = bound
            self.holder = holder
        }
    }

    /// Taken until it is given back, which letting go of it does.
    public final class Place: Sendable {
        private let places: Places
        private let accounts: [Account]
        private let isTaken = Atomic(true)

        fileprivate init(_ places: Places, _ accounts: [Account]) {
            self.places = places
            self.accounts = accounts
        }

        deinit { giveBack() }

        /// Given back twice, it counts once.
        public func giveBack() {
            if isTaken.exchange(false, ordering: .relaxed) { places.giveBack(accounts) }
        }
    }

    /// An account without its numbers: those may differ from one taking to the next.
    private struct Key: Hashable {
        let bound: String
        let holder: String

        init(_ account: Account) {
            bound = account.bound.name
            holder = account.holder
        }
    }

    private struct State {
        var all = 0
        var held: [Key: Int] = [:]
    }

    public let all: Bound
    private let refusals: Refusals
    private let state = Mutex(State())

    /// - Parameters:
    ///   - all: what all accounts together may hold.
    ///   - refusals: counts whom there was no place for.
    public init(all: Bound, refusals: Refusals) {
        self.all = all
        self.refusals = refusals
    }

    /// Takes a place on all of the accounts, or on none.
    /// - Parameter countingRefusal: false for whom a refusal is not the end, and who counts it themselves if it is.
    /// - Throws: the first bound that lets no more in, in the order of the accounts; the one of all places comes last.
    public func take(_ accounts: [Account], countingRefusal: Bool = true) throws(BoundReached) -> Place {
        let reached = state.withLock { state -> Bound? in
            let isCrowded = state.all * 4 >= all.most * 3
            for account in accounts {
                let most = isCrowded ? account.bound.whenCrowded : account.bound.most
                if state.held[Key(account), default: 0] >= most { return account.bound }
            }
            guard state.all < all.most else { return all }
            state.all += 1
            for account in accounts { state.held[Key(account), default: 0] += 1 }
            return nil
        }
        guard let reached else { return Place(self, accounts) }
        if countingRefusal { refusals.count(reached.name) }
        throw BoundReached(reached)
    }

    /// Counts a refusal that was not counted when it came.
    public func count(_ reached: BoundReached) { refusals.count(reached.bound) }

    private func giveBack(_ accounts: [Account]) {
        state.withLock { state in
            state.all -= 1
            for account in accounts {
                let key = Key(account)
                guard let count = state.held[key] else { continue }
                state.held[key] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// How many are taken now.
    public var taken: Int { state.withLock { $0.all } }

    /// How many accounts hold any.
    public var holders: Int { state.withLock { $0.held.count } }
}

public import Foundation
internal import Synchronization

/// The sign-in that an access token came from.
public struct SignIn: Sendable, Hashable {
    public let id: String
    /// When the token was issued.
    public let issued: Date

    public init(id: String, issued: Date) {
        self.id = id
        self.issued = issued
    }
}

/// The sign-ins that were ended lately. Their access tokens verify, and are refused all the same; what goes on on
/// their behalf learns of it.
public final class RevokedSignIns: Sendable {
    private struct State {
        /// Whether identity has said anything yet.
        var isKnown: Bool
        var ids: Set<String> = []
        /// Tokens that were issued by then are refused, whosever they are.
        var issuedUntil: Date?
        var waiting: [UInt64: (signIn: SignIn, continuation: CheckedContinuation<Bool, Never>)] = [:]
        var nextNumber: UInt64 = 0

        func contains(_ signIn: SignIn) -> Bool {
            if let issuedUntil, signIn.issued <= issuedUntil { return true }
            return ids.contains(signIn.id)
        }
    }

    private let state: Mutex<State>

    /// - Parameter isKnown: false until the first ``replace(ids:issuedUntil:)``: nobody knows yet which sign-ins ended.
    public init(isKnown: Bool = true) {
        state = Mutex(State(isKnown: isKnown))
    }

    var isKnown: Bool { state.withLock { $0.isKnown } }

    /// Waits until it is known which sign-ins ended: for a moment after a start, once.
    /// - Returns: whether it is.
    func known(within limit: Duration) async -> Bool {
        let end = ContinuousClock.now + limit
        while !isKnown {
            guard ContinuousClock.now < end, (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                return false
            }
        }
        return true
    }

    /// Takes what identity says in place of what it said before.
    /// - Parameter issuedUntil: all tokens issued by this time are refused; nil: only those of `ids`.
    public func replace(ids: some Sequence<String>, issuedUntil: Date?) {
        let ids = Set(ids)
        let ended = state.withLock { state in
            state.isKnown = true
            state.ids = ids
            state.issuedUntil = issuedUntil
            let ended = state.waiting.filter { state.contains($0.value.signIn) }
            for number in ended.keys { state.waiting[number] = nil }
            return ended.values.map(\.continuation)
        }
        for continuation in ended { continuation.resume(returning: true) }
    }

    public func contains(_ signIn: SignIn) -> Bool {
        state.withLock { $0.contains(signIn) }
    }

    /// Waits until a sign-in is ended.
    /// - Returns: false when the task was cancelled instead.
    func revocation(of signIn: SignIn) async -> Bool {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Bool? = state.withLock { state in
                    if state.contains(signIn) { return true }
                    // Cancelled before it was there to be told: the handler below has run already.
                    if Task.isCancelled { return false }
                    state.waiting[number] = (signIn, continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.continuation.resume(returning: false)
        }
    }

    /// How many wait to be told.
    var waitingCount: Int { state.withLock { $0.waiting.count } }
}

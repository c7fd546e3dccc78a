internal import Contracts
public import RPC
internal import Synchronization

/// Identity's published keys, fetched when first needed and kept.
///
/// A key that isn't known makes it ask again, but no more often than `pause`, so that made-up key ids can't be turned
/// into calls to identity; one fetch at a time serves everybody who waits. Known keys go on working while identity is
/// down, and are asked about again after `longestAge` so that one that identity has withdrawn stops working here.
public final class IdentitySigningKeys: SigningKeySource {
    /// The most keys taken from one answer.
    static let mostKeys = 64
    /// How long one fetch may take, the wait for an identity that is being restarted included.
    static let fetchTimeout = Duration.seconds(4)

    /// What a fetch came to: the keys by their id.
    typealias Outcome = Result<[String: [UInt8]], RPCError>

    /// What is known, and what is under way.
    struct State {
        var keys: [String: [UInt8]] = [:]
        /// When the keys were last fetched.
        var fetched: ContinuousClock.Instant?
        /// When identity last failed to answer, and how.
        var failed: (at: ContinuousClock.Instant, error: RPCError)?
        var isFetching = false
        /// Callers that need the fetch under way.
        var waiters: [CheckedContinuation<Outcome?, Never>] = []
    }

    /// What a caller does about a key id.
    enum Step {
        case answer([UInt8]?)
        case fail(RPCError)
        case wait
        case fetch
    }

    private let identity: IdentityV1.IdentityServiceClient
    private let pause: Duration
    private let longestAge: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - channel: to identity.
    ///   - pause: between two fetches.
    ///   - longestAge: of keys that are used without asking again, if identity can be asked.
    public init(channel: RPCChannel, pause: Duration = .seconds(3), longestAge: Duration = .seconds(600)) {
        identity = IdentityV1.IdentityServiceClient(channel: channel)
        self.pause = pause
        self.longestAge = longestAge
    }

    public func publicKey(_ keyID: String) async throws(RPCError) -> [UInt8]? {
        while true {
            let outcome: Outcome?
            switch state.withLock({ $0.step(for: keyID, at: .now, pause: pause, longestAge: longestAge) }) {
            case .answer(let key): return key
            case .fail(let error): throw error
            case .wait: outcome = await outcomeOfOthersFetch()
            case .fetch: outcome = await fetch()
            }
            if Task.isCancelled { throw RPCError(.cancelled, "cancelled") }
            // No outcome: the fetch was over already, or whoever made it was cancelled. Somebody takes over.
            guard let outcome else { continue }
            // What was known before still holds when identity can't be asked.
            if case .failure = outcome, let known = state.withLock({ $0.keys[keyID] }) { return known }
            return try outcome.get()[keyID]
        }
    }

    private func outcomeOfOthersFetch() async -> Outcome? {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isFetching { state.waiters.append(continuation) }
                return !state.isFetching
            }
            if isOver { continuation.resume(returning: nil) }
        }
    }

    /// - Returns: nil when the caller was cancelled, which says nothing of identity.
    private func fetch() async -> Outcome? {
        let outcome: Outcome?
        do {
            let response = try await identity.listSigningKeys(
                IdentityV1.ListSigningKeysRequest(), options: CallOptions(timeout: Self.fetchTimeout))
            outcome = .success(Self.keys(of: response))
        } catch {
            outcome = Task.isCancelled ? nil : .failure(.unavailable(neighbour: "identity"))
        }
        let waiters = state.withLock { $0.finish(outcome, at: .now) }
        for waiter in waiters { waiter.resume(returning: outcome) }
        return outcome
    }

    private static func keys(of response: IdentityV1.ListSigningKeysResponse) -> [String: [UInt8]] {
        response.keys.prefix(mostKeys).reduce(into: [:]) { keys, key in
            guard AccessTokenHeader.isKeyID(key.keyID), key.publicKey.count == 32 else { return }
            keys[key.keyID] = key.publicKey
        }
    }
}

extension IdentitySigningKeys.State {
    /// Decides, and when the decision is to fetch, takes the turn.
    mutating func step(
        for keyID: String, at now: ContinuousClock.Instant, pause: Duration, longestAge: Duration
    ) -> IdentitySigningKeys.Step {
        let hasFailedLately = failed.map { now - $0.at < pause } ?? false
        if let key = keys[keyID] {
            let isOld = fetched.map { now - $0 >= longestAge } ?? true
            // A caller with a known key never waits for somebody else's fetch.
            if !isOld || isFetching || hasFailedLately { return .answer(key) }
        } else {
            if isFetching { return .wait }
            if hasFailedLately, let failed { return .fail(failed.error) }
            if let fetched, now - fetched < pause { return .answer(nil) }
        }
        isFetching = true
        return .fetch
    }

    /// - Parameter outcome: nil when the fetch was given up.
    /// - Returns: who waits for the outcome.
    mutating func finish(
        _ outcome: IdentitySigningKeys.Outcome?, at now: ContinuousClock.Instant
    ) -> [CheckedContinuation<IdentitySigningKeys.Outcome?, Never>] {
        switch outcome {
        case .success(let fetchedKeys):
            keys = fetchedKeys
            fetched = now
            failed = nil
        case .failure(let error): failed = (now, error)
        case nil: break
        }
        isFetching = false
        defer { waiters = [] }
        return waiters
    }
}

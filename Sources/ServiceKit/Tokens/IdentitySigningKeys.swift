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
    /// How long one fetch may take.
    static let fetchTimeout = Duration.seconds(2)

    /// What is known, and what is under way.
    struct State {
        var keys: [String: [UInt8]] = [:]
        /// When the keys were last fetched.
        var fetched: ContinuousClock.Instant?
        /// When identity last failed to answer, and how.
        var failed: (at: ContinuousClock.Instant, error: RPCError)?
        var isFetching = false
        /// Callers that need the fetch under way.
        var waiters: [CheckedContinuation<Void, Never>] = []
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
            switch state.withLock({ $0.step(for: keyID, at: .now, pause: pause, longestAge: longestAge) }) {
            case .answer(let key): return key
            case .fail(let error): throw error
            case .wait: await waitForFetch()
            case .fetch: await fetch()
            }
            // Whoever waited for a caller that was cancelled takes over; a cancelled one must not try for ever.
            if Task.isCancelled { throw RPCError(.cancelled, "cancelled") }
        }
    }

    private func waitForFetch() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isFetching { state.waiters.append(continuation) }
                return !state.isFetching
            }
            if isOver { continuation.resume() }
        }
    }

    private func fetch() async {
        let outcome: Result<[String: [UInt8]], RPCError>
        do {
            let response = try await identity.listSigningKeys(
                IdentityV1.ListSigningKeysRequest(), options: CallOptions(timeout: Self.fetchTimeout))
            outcome = .success(Self.keys(of: response))
        } catch let error as RPCError where error.code == .cancelled {
            outcome = .failure(error)
        } catch {
            outcome = .failure(.unavailable(neighbour: "identity"))
        }
        let waiters = state.withLock { $0.finish(outcome, at: .now) }
        for waiter in waiters { waiter.resume() }
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

    /// - Returns: whom to wake.
    mutating func finish(
        _ outcome: Result<[String: [UInt8]], RPCError>, at now: ContinuousClock.Instant
    ) -> [CheckedContinuation<Void, Never>] {
        switch outcome {
        case .success(let fetchedKeys):
            keys = fetchedKeys
            fetched = now
            failed = nil
        case .failure(let error) where error.code == .cancelled: break  // it says nothing of identity
        case .failure(let error): failed = (now, error)
        }
        isFetching = false
        let woken = waiters
        waiters = []
        return woken
    }
}

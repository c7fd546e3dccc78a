internal import Foundation
public import RPC

/// The sign-in that a call is made with, for as long as the call goes on.
struct StandingSignIn: Sendable {
    let signIn: SignIn
    /// When the access token that it was proven with expires.
    let expires: ContinuousClock.Instant
    let revoked: RevokedSignIns

    /// Waits until the authority is over.
    /// - Returns: why; nil when the task was cancelled instead.
    func end(lastsUntilExpiry: Bool) async -> RPCError? {
        await withTaskGroup(of: RPCError?.self) { tasks in
            tasks.addTask { await revoked.revocation(of: signIn) ? .signInEnded : nil }
            if lastsUntilExpiry {
                tasks.addTask {
                    do {
                        try await Task.sleep(until: expires, clock: .continuous)
                        return .tokenExpired
                    } catch {
                        return nil
                    }
                }
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
    }
}

extension CallKey where Value == StandingSignIn {
    /// The sign-in that an administrator's token of this call came from.
    static var signIn: CallKey<StandingSignIn> { CallKey("samtal.sign-in") }
}

/// How long a stream may go on with the administrator's token that it was opened with.
public enum StreamAuthority: Sendable {
    /// Until the token expires: for what would go on for ever.
    case untilExpiry
    /// Until the sign-in is ended: for what ends by itself, and should not be cut off in the middle.
    case untilRevoked
}

extension ServerCall {
    /// Does what a stream does, for as long as its caller has the authority to it.
    ///
    /// A token is looked at when a call begins; this ends one that is going on when the administrator is removed or signs
    /// out.
    /// - Throws: UNAUTHENTICATED `SIGN_IN_ENDED` or `TOKEN_EXPIRED` when it is over.
    public func whileAuthorised(
        _ authority: StreamAuthority, _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        guard let standing = self[.signIn] else { return try await work() }
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                if let reason = await standing.end(lastsUntilExpiry: authority == .untilExpiry) { throw reason }
                return false
            }
            tasks.addTask {
                try await work()
                return true
            }
            defer { tasks.cancelAll() }
            // Cancelled, the first says nothing: what the work makes of it is what counts.
            while let isDone = try await tasks.next() {
                if isDone { return }
            }
        }
    }
}

internal import Contracts
internal import RPC
internal import ServiceKit
internal import Synchronization

/// Which organisation a session is of, as chat says: whose places its followers take.
///
/// Chat is asked once for all who want to know at the same time, about few sessions at a time, for which clients take turns.
/// What it said is kept for a while; it never changes.
final class SessionOwners: Sendable {
    private struct Known {
        var organisation: String
        var end: ContinuousClock.Instant
    }

    private struct State {
        var known: [String: Known] = [:]
        var asked: [String: Task<String, any Error>] = [:]
    }

    /// Sessions that are remembered.
    static let most = 10_000
    static let lifetime: Duration = .seconds(600)
    /// Sessions that chat is asked about at a time, on the connection that feeds are watched over.
    private static let width = 32
    private static let patience: Duration = .seconds(5)

    private let chat: ChatV1.ChatServiceClient
    private let turns = Turns(width: width)
    private let state = Mutex(State())

    init(chat: ChatV1.ChatServiceClient) {
        self.chat = chat
    }

    /// - Parameter client: the mark of who wants to know.
    /// - Throws: what chat answers, such as NOT_FOUND.
    func organisation(of sessionID: String, for client: String) async throws(RPCError) -> String {
        let (known, asked) = state.withLock { state -> (String?, Task<String, any Error>?) in
            if let known = state.known[sessionID], known.end > .now { return (known.organisation, nil) }
            if let asked = state.asked[sessionID] { return (nil, asked) }
            let asked = Task { try await ask(sessionID, for: client) }
            state.asked[sessionID] = asked
            return (nil, asked)
        }
        if let known { return known }
        do {
            return try await asked?.value ?? ""
        } catch {
            throw error as? RPCError ?? RPCError(.cancelled, "the call was cancelled")
        }
    }

    private func ask(_ sessionID: String, for client: String) async throws -> String {
        defer { state.withLock { $0.asked[sessionID] = nil } }
        let options = CallOptions(timeout: Self.patience)
        let session = try await turns.take([client], until: options.deadline) {
            try await chat.getSession(.init(sessionID: sessionID), options: options)
        }
        state.withLock { state in
            let now = ContinuousClock.now
            if state.known.count >= Self.most { state.known = state.known.filter { $0.value.end > now } }
            // None of them is missed: chat is asked again.
            if state.known.count >= Self.most { state.known = [:] }
            state.known[sessionID] = Known(organisation: session.organisationID, end: now + Self.lifetime)
        }
        return session.organisationID
    }
}

internal import RPC
internal import ServiceKit

/// Before one service, for one purpose: how many calls each caller has in flight, and whose call goes on next.
///
/// A call in flight holds a place. Calls that are more than the service is asked at a time wait, and their callers take
/// turns. HTTP and gRPC have places of their own.
final class CallGate: Sendable {
    private let web: Places
    private let socket: Places
    private let turns: Turns

    /// - Parameter width: calls that the service is asked at a time.
    init(limits: CallLimits, width: Int, refusals: Refusals) {
        web = Places(all: limits.calls, refusals: refusals)
        socket = Places(all: limits.forwarded, refusals: refusals)
        turns = Turns(width: width)
    }

    /// - Throws: RESOURCE_EXHAUSTED, naming the bound.
    func place(for source: CallSource) throws(RPCError) -> Places.Place {
        do throws(BoundReached) {
            switch source.door {
            case .http: return try web.take(source.accounts)
            case .socket: return try socket.take(source.accounts)
            }
        } catch {
            throw RPCError(
                error, "too many calls are in flight already", reason: "TOO_MANY_CALLS", retryAfter: .seconds(1))
        }
    }

    /// Longer than a caller waits for a service that is away.
    private static let patience: Duration = .seconds(2)

    /// Makes the call when it is its turn.
    ///
    /// - Parameters:
    ///   - options: with the deadline, until which the call waits at most.
    ///   - call: is given the options to make it with. A call that has waited long here doesn't wait as long again for a
    ///     service that is away: all that wait are told at once.
    func inTurn<Value>(
        of source: CallSource, options: CallOptions, _ call: (CallOptions) async throws -> Value
    ) async throws -> Value {
        let began = ContinuousClock.now
        return try await turns.take(source.path, until: options.deadline) {
            var options = options
            if began.duration(to: .now) >= Self.patience { options.waitForReady = false }
            return try await call(options)
        }
    }

    /// Calls that hold a place now.
    var inFlight: Int { web.taken + socket.taken }
}

internal import Crypto
internal import GatewayCore
internal import RPC
internal import ServiceKit

/// Where a call comes from: whose places it takes, and behind whom it waits for its turn.
///
/// What is in it tells callers apart for as long as the call is in flight, and nobody's address or token can be had from it.
struct CallSource: Sendable {
    /// The way in.
    enum Door: String, Sendable {
        case http, socket
    }

    var door: Door
    var accounts: [Places.Account]
    /// From the door to the token: on each level those who share what is above take turns (``Turns``).
    var path: [String]

    /// - Parameters:
    ///   - client: the client's mark.
    ///   - network: the mark of its network; nil if it has none.
    ///   - token: the token that the call is made with; nil without one.
    init(client: String, network: String?, token: String?, limits: CallLimits) {
        door = .http
        let token = token.map(TokenMark.of)
        accounts = token.map { [.init(limits.callsOfToken, of: $0)] } ?? []
        accounts.append(.init(limits.callsOfClient, of: client))
        if let network { accounts.append(.init(limits.callsOfNetwork, of: network)) }
        path = [door.rawValue, network ?? client, client, token ?? ""]
    }

    init(_ call: ServerCall, limits: CallLimits) {
        door = .socket
        let (user, process) = Self.names(of: call.peer)
        let token = TokenMark.of(call)
        accounts = token.map { [.init(limits.forwardedOfToken, of: $0)] } ?? []
        accounts.append(.init(limits.forwardedOfProcess, of: process))
        accounts.append(.init(limits.forwardedOfUser, of: user))
        path = [door.rawValue, user, process, token ?? ""]
    }

    /// What tells the users and the processes of a socket apart. A process alone would not do: it can start others, and
    /// its identifier is given away again.
    static func names(of peer: Peer) -> (user: String, process: String) {
        ("\(peer.uid)", "\(peer.uid) \(peer.pid)")
    }
}

/// Tells tokens apart without keeping them.
enum TokenMark {
    static func of(_ token: String) -> String {
        SHA256.hash(data: Array(token.utf8)).prefix(16).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// Of the token that a call is made with; nil without one.
    static func of(_ call: ServerCall) -> String? {
        for name in TokenHeader.all {
            if let value = call.metadata[first: name.metadata] { return of(value) }
        }
        return nil
    }
}

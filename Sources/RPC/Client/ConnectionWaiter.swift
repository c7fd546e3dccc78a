internal import NIOCore

/// Someone who waits for a connection.
final class ConnectionWaiter: Sendable {
    enum Resumption: Sendable {
        case task(UnsafeContinuation<Result<ClientConnection, RPCError>, Never>)
        case function(@Sendable (Result<ClientConnection, RPCError>) -> Void)
    }

    /// Names the wait to whoever may call it off.
    let key: WaitKey
    let waitsForReady: Bool
    /// Which of several targets the call belongs to, where that is said.
    let routingKey: String?
    private let resumption: Resumption
    private let timer: Scheduled<Void>?

    init(
        _ key: WaitKey = WaitKey(), waitsForReady: Bool, routingKey: String? = nil, _ resumption: Resumption,
        timer: Scheduled<Void>? = nil
    ) {
        self.key = key
        self.waitsForReady = waitsForReady
        self.routingKey = routingKey
        self.resumption = resumption
        self.timer = timer
    }

    /// Whoever took the waiter out of where it waits calls it, once.
    func resume(_ result: Result<ClientConnection, RPCError>) {
        timer?.cancel()
        switch resumption {
        case .task(let continuation): continuation.resume(returning: result)
        case .function(let function): function(result)
        }
    }
}

/// Those who wait, in the order in which they came.
struct WaitingLine {
    private struct Place {
        let number: Int
        let waiter: ConnectionWaiter
    }

    /// Each by the identity of its key, which the waiter holds on to: no other can have it meanwhile.
    private var places: [ObjectIdentifier: Place] = [:]
    private var next = 0

    var count: Int { places.count }
    var isEmpty: Bool { places.isEmpty }

    /// The first comes first.
    var inOrder: [ConnectionWaiter] {
        places.values.sorted { $0.number < $1.number }.map(\.waiter)
    }

    mutating func append(_ waiter: ConnectionWaiter) {
        places[ObjectIdentifier(waiter.key)] = Place(number: next, waiter: waiter)
        next += 1
    }

    /// The one with that key, which no longer waits; nil when it didn't.
    @discardableResult
    mutating func remove(_ key: WaitKey) -> ConnectionWaiter? {
        places.removeValue(forKey: ObjectIdentifier(key))?.waiter
    }

    /// All of them, who no longer wait.
    mutating func takeAll() -> [ConnectionWaiter] {
        defer { places = [:] }
        return inOrder
    }
}

import Foundation
import RPC

/// What came of the connections of an attack.
struct AttackResult: Sendable {
    /// Connections that were made.
    var connections = 0
    /// Those that the server ended.
    var closed = 0
    /// Frames, or whatever the attack counts, that were sent.
    var sent = 0
    /// How many had been sent on a connection when its end was noticed, at most.
    var longest = 0
    /// RST_STREAM frames of the server by their code.
    var resets: [UInt32: Int] = [:]
    /// The codes of GOAWAY frames.
    var goAways: Set<UInt32> = []
    /// Frames of answers: HEADERS, and DATA.
    var headers = 0
    var data = 0

    static func + (left: AttackResult, right: AttackResult) -> AttackResult {
        AttackResult(
            connections: left.connections + right.connections, closed: left.closed + right.closed,
            sent: left.sent + right.sent, longest: max(left.longest, right.longest),
            resets: left.resets.merging(right.resets, uniquingKeysWith: +),
            goAways: left.goAways.union(right.goAways), headers: left.headers + right.headers,
            data: left.data + right.data)
    }
}

/// One thread that attacks for a while.
final class Attacker {
    let path: String
    private let end: ContinuousClock.Instant
    private(set) var result = AttackResult()
    private var sentHere = 0

    init(path: String, end: ContinuousClock.Instant) {
        self.path = path
        self.end = end
    }

    var isOver: Bool { ContinuousClock.now >= end }

    /// Makes connections one after the other, each as soon as the server has ended the one before, until the time is
    /// over.
    func repeatedly(_ body: (RawConnection) -> Void) throws {
        while !isOver {
            try once(body)
        }
    }

    /// Makes one connection.
    func once(_ body: (RawConnection) -> Void) throws {
        let connection = try RawConnection(path)
        sentHere = 0
        body(connection)
        note(connection)
    }

    /// Sends the same bytes, which hold so many of what the attack counts, until the server ends the connection or the
    /// time is over, and reads what it answers.
    func flood(_ connection: RawConnection, _ bytes: [UInt8], counting count: Int, reads: Bool = true) {
        while !isOver, connection.send(bytes) {
            sentHere += count
            if reads { connection.drain() }
        }
    }

    /// As above, on new streams in every round.
    func flood(_ connection: RawConnection, _ rounds: Rounds, reads: Bool = true) {
        var rounds = rounds
        while !isOver, connection.send(rounds.next()) {
            sentHere += rounds.count
            if reads { connection.drain() }
        }
    }

    /// Says HTTP/2's first words, hears the server's, and answers them, so that its settings are in force.
    func open(_ connection: RawConnection, _ entries: [(Setting, UInt32)] = []) {
        connection.send(preface(entries))
        connection.read { $0.count(.settings) > 0 }
        connection.send(frame(.settings, Flag.acknowledgement, on: 0))
    }

    /// Counts what was sent otherwise.
    func counts(_ count: Int) { sentHere += count }

    /// Waits, as an attacker does that has nothing more to do.
    func rest(_ connection: RawConnection? = nil) {
        while !isOver {
            connection?.drain()
            if connection?.isClosed == true { return }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }

    /// Takes down what came of a connection.
    func note(_ connection: RawConnection) {
        connection.drain()
        result.connections += 1
        result.sent += sentHere
        if connection.isClosed {
            result.closed += 1
            result.longest = max(result.longest, sentHere)
        }
        result.resets.merge(connection.received.resets, uniquingKeysWith: +)
        if let code = connection.received.goAway { result.goAways.insert(code) }
        result.headers += connection.received.count(.headers)
        result.data += connection.received.count(.data)
        sentHere = 0
    }

    /// Runs `attack` on a thread of its own: it blocks, which tasks must not.
    static func run(
        _ path: String, for duration: Duration, _ attack: @escaping @Sendable (Attacker) throws -> Void
    ) async throws -> AttackResult {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let attacker = Attacker(path: path, end: .now.advanced(by: duration))
                continuation.resume(
                    with: Result {
                        try attack(attacker)
                        return attacker.result
                    })
            }
        }
    }
}

internal import Synchronization

/// When a client's connection is looked at, and given up.
struct ConnectionTimes: Sendable {
    /// The shortest interval: more often says nothing more, and servers take it for an attack.
    static let shortest: Duration = .milliseconds(10)

    /// How long at least, and at most twice, nothing comes while calls are open before the server is asked for a sign of
    /// life; nil: never asked.
    var keepaliveInterval: Duration?
    /// How long it may take to give it.
    var keepaliveTimeout: Duration = .seconds(20)
    /// How long at least, and at most twice, a connection is kept without calls; nil: for ever.
    var maxIdle: Duration?
}

/// How often the next connection of a channel asks its server for a sign of life: less often once a server has said
/// that it is too often (gRFC A8).
final class KeepaliveInterval: Sendable {
    /// It isn't lengthened beyond that.
    static let longest: Duration = .seconds(2 * 60 * 60)

    private let interval: Mutex<Duration?>

    init(_ interval: Duration?) {
        self.interval = Mutex(interval)
    }

    var current: Duration? { interval.withLock { $0 } }

    /// A server has had enough of a connection that asked so often: the next ones take twice as long, and never less than
    /// they do already.
    func lengthen(from used: Duration?) -> Duration? {
        interval.withLock { interval in
            guard let used, let current = interval else { return interval }
            interval = max(current, min(used * 2, KeepaliveInterval.longest))
            return interval
        }
    }
}

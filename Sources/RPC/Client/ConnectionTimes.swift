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

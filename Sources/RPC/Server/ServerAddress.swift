/// Where a server listens.
public enum ServerAddress: Sendable, Hashable {
    /// The file of a Unix socket; at most 107 bytes (`sun_path`).
    case path(String)
    /// A name in the abstract namespace of Unix sockets (unix(7)), at most 107 bytes. It has no file, so no mode: every
    /// process in the network namespace may connect, and ``RPCServer/Configuration/acceptPeer`` alone decides.
    case abstract(String)
    /// A listening Unix stream socket that the process was given, by systemd for one (sd_listen_fds(3)). The server
    /// closes it when it stops, and leaves its file alone.
    case inherited(descriptor: Int32)
}

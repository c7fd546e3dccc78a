/// Who is at the other end of the socket, as the kernel says it (SO_PEERCRED, read once at accept).
///
/// The values are those of the process that connected, at the time it connected: authorise by `uid` and `gid`. A
/// process identifier can be reused by another process, so `pid` is for logs, and for
/// counting beside `uid`, alone.
public struct Peer: Sendable, Hashable {
    public var uid: UInt32
    public var gid: UInt32
    public var pid: Int32

    public init(uid: UInt32, gid: UInt32, pid: Int32) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
    }
}

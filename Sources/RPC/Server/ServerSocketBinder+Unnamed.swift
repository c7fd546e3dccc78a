internal import Glibc

/// Sockets that have no file of this process's making.
extension ServerSocketBinder {
    /// A name in the abstract namespace: `sun_path` begins with a NUL, and the length says where the name ends (unix(7)).
    static func bindAbstract(_ name: String, backlog: Int) throws(Failure) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count > 1, bytes.count <= room, !bytes.dropFirst().contains(0) else {
            throw Failure(
                description: "@\(name): an abstract name has 1 to \(room - 1) bytes, this one \(bytes.count - 1)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = (MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + bytes.count
        let descriptor = socket(AF_UNIX, streamSocket, 0)
        guard descriptor >= 0 else { throw failure("make a socket for", "@" + name) }
        guard withSocketAddress(address, length: length, { Glibc.bind(descriptor, $0, $1) }) == 0 else {
            let isTaken = errno == EADDRINUSE
            let reason = failure("bind", "@" + name)
            close(descriptor)
            throw isTaken ? Failure(description: "@\(name): another instance is serving on this socket") : reason
        }
        guard Glibc.listen(descriptor, CInt(clamping: backlog)) == 0 else {
            let reason = failure("listen on", "@" + name)
            close(descriptor)
            throw reason
        }
        return descriptor
    }

    /// Makes sure that a descriptor someone handed over is a listening Unix stream socket, before it is served on. It
    /// stays open when it isn't.
    static func adopt(_ descriptor: CInt) throws(Failure) -> CInt {
        let name = "descriptor \(descriptor)"
        guard option(SO_DOMAIN, of: descriptor) == AF_UNIX else {
            throw Failure(description: "\(name): not a Unix socket")
        }
        guard option(SO_TYPE, of: descriptor) == CInt(SOCK_STREAM.rawValue) else {
            throw Failure(description: "\(name): not a stream socket")
        }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw Failure(description: "\(name): the socket doesn't listen")
        }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw failure("set the flags of", name) }
        return descriptor
    }

    private static func option(_ name: CInt, of descriptor: CInt) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }
}

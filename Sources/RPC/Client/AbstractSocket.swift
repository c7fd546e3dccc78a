internal import Glibc

/// Connecting to a name in the abstract namespace, whose address is exactly as long as its name (unix(7)).
enum AbstractSocket {
    struct Failure: Error {
        var errno: CInt
    }

    /// A connected descriptor, which is the caller's to close. It never blocks: a server whose backlog is full refuses.
    static func connect(_ name: String) throws(Failure) -> CInt {
        let bytes = Array(name.utf8)
        var address = sockaddr_un()
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Failure(errno: ENAMETOOLONG) }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            UnsafeMutableRawBufferPointer(rebasing: path[1...]).copyBytes(from: bytes)
        }
        let length = MemoryLayout<sa_family_t>.size + 1 + bytes.count
        let flags = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(length))
            }
        }
        guard result == 0 else {
            let failure = Failure(errno: errno)
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}

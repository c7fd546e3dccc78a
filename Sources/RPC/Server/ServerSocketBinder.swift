internal import Glibc

/// A bound and listening Unix socket, and what goes with it: for one with a file, its path and lock.
///
/// A path belongs to one instance: whoever holds the lock on `<path>.lock`. The lock goes with the process however it
/// ends; the file stays, because removing it would let two instances lock two different files. A name in the abstract
/// namespace needs neither: the kernel refuses a second one, and it goes with the last descriptor. A socket that was
/// inherited is whose it was: nothing of it is removed.
final class ServerSocketBinder: Sendable {
    /// Why a socket could not be bound. The address is configuration, not personal data.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Identifies the file that was bound, whatever happens to its path.
    private struct FileIdentity: Equatable {
        let device: dev_t
        let inode: ino_t
    }

    private struct BoundFile {
        let path: String
        let lock: CInt
        let identity: FileIdentity
    }

    /// The listening descriptor; whoever takes it closes it.
    let descriptor: CInt
    private let file: BoundFile?

    init(_ address: ServerAddress, mode: UInt16, backlog: Int) throws(Failure) {
        switch address {
        case .path(let path):
            (descriptor, file) = try ServerSocketBinder.bindFile(path, mode: mode, backlog: backlog)
        case .abstract(let name):
            descriptor = try ServerSocketBinder.bindAbstract(name, backlog: backlog)
            file = nil
        case .inherited(let inherited):
            descriptor = try ServerSocketBinder.adopt(inherited)
            file = nil
        }
    }

    private static func bindFile(
        _ path: String, mode: UInt16, backlog: Int
    ) throws(Failure) -> (CInt, BoundFile) {
        let address = try address(of: path)
        let lock = try lock(path)
        do throws(Failure) {
            try removeStale(path, address)
            let descriptor = try bind(path, address, mode: mode, backlog: backlog)
            guard let identity = identity(of: path) else {
                close(descriptor)
                throw Failure(description: "\(path): the socket was removed as soon as it was bound")
            }
            return (descriptor, BoundFile(path: path, lock: lock, identity: identity))
        } catch {
            close(lock)
            throw error
        }
    }

    /// Lets so many connections wait to be accepted; as often as one likes.
    func listen(backlog: Int) {
        _ = Glibc.listen(descriptor, CInt(clamping: backlog))
    }

    /// Removes the path, if it still is the file that was bound, and lets the next instance in. Called while the descriptor
    /// is open: until then no other file has the same number.
    func release() {
        guard let file else { return }
        if ServerSocketBinder.identity(of: file.path) == file.identity { unlink(file.path) }
        close(file.lock)
    }

    static let streamSocket =
        CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)

    private static func address(of path: String) throws(Failure) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard !bytes.isEmpty, bytes.count <= room, !bytes.contains(0) else {
            throw Failure(description: "\(path): a socket path has 1 to \(room) bytes, this one \(bytes.count)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    private static func lock(_ path: String) throws(Failure) -> CInt {
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("open", lockPath) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = failure("lock", lockPath)
            close(descriptor)
            throw isHeld ? Failure(description: "\(path): another instance is serving on this socket") : reason
        }
        return descriptor
    }

    /// Removes what a crashed instance left behind; a path that someone answers on, or that is no socket, is not ours.
    private static func removeStale(_ path: String, _ address: sockaddr_un) throws(Failure) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw failure("examine", path)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Failure(description: "\(path): there is a file that is not a socket")
        }
        let probe = socket(AF_UNIX, streamSocket, 0)
        guard probe >= 0 else { throw failure("probe", path) }
        defer { close(probe) }
        // EAGAIN: someone listens, with a full backlog.
        if withSocketAddress(address, { connect(probe, $0, $1) }) == 0 || errno == EAGAIN {
            throw Failure(description: "\(path): another program is serving on this socket")
        }
        guard errno == ECONNREFUSED else { throw failure("probe", path) }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    /// Binds with the final mode from the start: the file appears with what the descriptor's mode allows and the umask
    /// leaves, and nobody can connect before `listen`.
    private static func bind(
        _ path: String, _ address: sockaddr_un, mode: UInt16, backlog: Int
    ) throws(Failure) -> CInt {
        let descriptor = socket(AF_UNIX, streamSocket, 0)
        guard descriptor >= 0 else { throw failure("make a socket for", path) }
        // On Linux the mode of an unbound socket's inode is the one its file is made with. The umask can only take
        // away, so what it took is put back by chmod, and still nobody can connect in between.
        guard fchmod(descriptor, mode_t(mode)) == 0, withSocketAddress(address, { Glibc.bind(descriptor, $0, $1) }) == 0
        else {
            let reason = failure("bind", path)
            close(descriptor)
            throw reason
        }
        guard chmod(path, mode_t(mode)) == 0, Glibc.listen(descriptor, CInt(clamping: backlog)) == 0 else {
            let reason = failure("listen on", path)
            unlink(path)
            close(descriptor)
            throw reason
        }
        return descriptor
    }

    private static func identity(of path: String) -> FileIdentity? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return FileIdentity(device: status.st_dev, inode: status.st_ino)
    }

    static func withSocketAddress(
        _ address: sockaddr_un, length: Int = MemoryLayout<sockaddr_un>.size,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(length))
            }
        }
    }

    /// Reads `errno`, so it is called before anything else is.
    static func failure(_ action: String, _ path: String) -> Failure {
        let reason = String(cString: strerror(errno))
        return Failure(description: "can't \(action) \(path): \(reason)")
    }
}

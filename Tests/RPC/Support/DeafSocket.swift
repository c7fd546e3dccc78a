import Glibc

@testable import RPC

/// A socket that listens and that nobody accepts from: what a process that is stopped has. The kernel connects to it.
final class DeafSocket: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, listen(descriptor, 16) == 0 else { throw RPCError(.unavailable, "can't listen") }
    }

    /// Whether anybody has connected.
    var isAsked: Bool {
        var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&question, 1, 0) == 1
    }

    deinit {
        close(descriptor)
    }
}

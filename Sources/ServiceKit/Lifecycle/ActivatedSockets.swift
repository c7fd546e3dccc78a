internal import Foundation

/// The listening sockets that this process was started with: systemd's socket activation (sd_listen_fds(3)).
///
/// Written here rather than taken from libsystemd: the protocol is three variables and a number of descriptors, and
/// the library would bring its own dependencies into every process that holds keys.
struct ActivatedSockets: Equatable {
    /// More are a mistake in a unit file.
    static let most = 16
    /// Where the descriptors begin.
    static let firstDescriptor: Int32 = 3
    /// The longest name of a descriptor (`FileDescriptorName=` in systemd.socket(5)).
    static let longestName = 255

    struct Socket: Equatable {
        var descriptor: Int32
        /// The socket unit's name, or what its `FileDescriptorName` says; "" when nothing was said.
        var name: String
    }

    var sockets: [Socket]

    /// What the variables promise, without a look at the descriptors. Empty when they are for another process, which is
    /// so for a child of the one that was activated.
    /// - Parameters:
    ///   - environment: of the process.
    ///   - process: its id.
    init(environment: [String: String], process: Int32) throws(StartUpError) {
        guard let number = environment["LISTEN_PID"], !number.isEmpty else {
            sockets = []
            return
        }
        guard let listener = Self.number(number, atMost: Int(Int32.max)) else {
            throw Self.mistake("LISTEN_PID is not the id of a process")
        }
        guard listener == Int(process) else {
            sockets = []
            return
        }
        guard let count = Self.number(environment["LISTEN_FDS"] ?? "", atMost: Self.most) else {
            throw Self.mistake("LISTEN_FDS is not a number from 0 to \(Self.most)")
        }
        let names = try Self.names(environment["LISTEN_FDNAMES"], count)
        sockets = names.enumerated().map { index, name in
            Socket(descriptor: Self.firstDescriptor + Int32(index), name: name)
        }
    }

    /// The one socket that a service serves on; nil when the process wasn't activated.
    func single() throws(StartUpError) -> Socket? {
        guard sockets.count <= 1 else {
            let names = sockets.map(\.name).joined(separator: ", ")
            throw Self.mistake("there are \(sockets.count) sockets (\(names)), and a service has one")
        }
        return sockets.first
    }

    private static func names(_ list: String?, _ count: Int) throws(StartUpError) -> [String] {
        guard let list, !list.isEmpty else { return Array(repeating: "", count: count) }
        guard list.utf8.count <= (longestName + 1) * most else { throw mistake("LISTEN_FDNAMES is too long") }
        let names = list.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard names.count == count else {
            throw mistake("LISTEN_FDNAMES has \(names.count) names and LISTEN_FDS is \(count)")
        }
        let areNames = names.allSatisfy { name in
            name.utf8.count <= longestName && name.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        }
        guard areNames else { throw mistake("LISTEN_FDNAMES holds what is no name") }
        return names
    }

    /// Digits alone: no sign and no blanks.
    private static func number(_ text: String, atMost limit: Int) -> Int? {
        guard (1...10).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(text), number <= limit
        else { return nil }
        return number
    }

    private static func mistake(_ problem: String) -> StartUpError {
        StartUpError("socket activation: \(problem)", remedy: "look at the service's .socket unit")
    }
}

extension ActivatedSockets {
    /// The sockets of this process, checked and kept from its children. The variables are removed, so that no child
    /// takes them for its own. Called once, before there are other threads: setenv(3) is not for several.
    static func take(
        from environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(StartUpError) -> ActivatedSockets {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] { unsetenv(name) } }
        let activated = try ActivatedSockets(environment: environment, process: getpid())
        for socket in activated.sockets { try check(socket) }
        return activated
    }

    /// A listening Unix stream socket, closed on exec from now on.
    static func check(_ socket: Socket) throws(StartUpError) {
        let which = "descriptor \(socket.descriptor)" + (socket.name.isEmpty ? "" : " (\(socket.name))")
        let flags = fcntl(socket.descriptor, F_GETFD)
        guard flags >= 0 else { throw mistake("\(which) is not open") }
        guard fcntl(socket.descriptor, F_SETFD, flags | FD_CLOEXEC) == 0 else {
            throw mistake("\(which) can't be closed on exec")
        }
        guard option(SO_DOMAIN, of: socket.descriptor) == AF_UNIX else {
            throw mistake("\(which) is not a Unix socket")
        }
        guard option(SO_TYPE, of: socket.descriptor) == Int32(SOCK_STREAM.rawValue) else {
            throw mistake("\(which) is not a stream socket: write ListenStream=")
        }
        guard option(SO_ACCEPTCONN, of: socket.descriptor) == 1 else {
            throw mistake("\(which) is not listening: write Accept=no")
        }
    }

    /// Nil when it isn't a socket.
    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 else { return nil }
        return value
    }
}

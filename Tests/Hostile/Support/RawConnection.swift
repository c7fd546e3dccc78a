import Glibc
import RPC

/// One connection of an attacker: bytes of its own choosing on a Unix socket. Used by one thread.
final class RawConnection {
    /// What the server has sent on it.
    struct Received {
        var bytes = 0
        /// Frames by their type.
        var frames: [UInt8: Int] = [:]
        /// RST_STREAM frames by their code.
        var resets: [UInt32: Int] = [:]
        /// The code of the last GOAWAY.
        var goAway: UInt32?

        func count(_ type: FrameType) -> Int { frames[type.rawValue] ?? 0 }
    }

    private let socket: CInt
    /// The server has ended it.
    private(set) var isClosed = false
    private(set) var received = Received()
    /// Bytes of a frame that has not come whole.
    private var partial: [UInt8] = []

    init(_ path: String) throws {
        socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            close(socket)
            throw RPCError(.unavailable, "can't connect: \(String(cString: strerror(errno)))")
        }
        // A server that neither reads nor closes must not hold the test up.
        var timeout = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(socket)
    }

    /// Sends all of it; false when the server no longer takes it.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count, !isClosed {
            let written = bytes[offset...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if written > 0 { offset += written } else { isClosed = true }
        }
        return !isClosed
    }

    /// Says that nothing more will be sent, and still reads.
    func finishSending() {
        shutdown(socket, CInt(SHUT_WR))
    }

    /// Takes what has come, without waiting for more.
    func drain() {
        while receive(CInt(MSG_DONTWAIT)) > 0 {}
    }

    /// Takes what comes, for as long as the condition doesn't hold and the server sends something every two seconds.
    func read(until condition: (Received) -> Bool) {
        while !condition(received), !isClosed, receive(0) > 0 {}
    }

    /// Reads to the end of the connection.
    func readToEnd() {
        read { _ in false }
    }

    private func receive(_ flags: CInt) -> Int {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            let count = recv(socket, buffer.baseAddress, buffer.count, flags)
            guard count > 0 else {
                if count == 0 || errno != EAGAIN { isClosed = true }
                return count
            }
            received.bytes += count
            take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return count
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        partial += bytes
        var start = 0
        while partial.count - start >= 9 {
            let length = Int(partial[start]) << 16 | Int(partial[start + 1]) << 8 | Int(partial[start + 2])
            guard partial.count - start >= 9 + length else { break }
            note(type: partial[start + 3], payload: partial[(start + 9)..<(start + 9 + length)])
            start += 9 + length
        }
        partial.removeFirst(start)
    }

    private func note(type: UInt8, payload: ArraySlice<UInt8>) {
        received.frames[type, default: 0] += 1
        if type == FrameType.resetStream.rawValue, payload.count == 4 {
            received.resets[number(payload), default: 0] += 1
        }
        if type == FrameType.goAway.rawValue, payload.count >= 8 { received.goAway = number(payload.dropFirst(4)) }
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

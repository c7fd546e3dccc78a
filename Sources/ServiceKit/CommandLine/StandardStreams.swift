package import Foundation

/// The process's own three streams.
package enum StandardStreams {
    /// Prints a line on standard error. When even that fails, the exit code is all that is left to say it.
    package static func complain(_ line: String) {
        do throws(SystemError) {
            try Descriptor.write(Array("\(line)\n".utf8), to: STDERR_FILENO)
        } catch {
            error.endQuietlyIfUnread()
        }
    }

    /// Prints a line on standard output, at once and whole. Where nobody reads any more, the process ends quietly, as other
    /// tools do.
    ///
    /// - Throws: when it can't be written, such as on a full disk.
    package static func say(_ line: String) throws(SystemError) {
        do throws(SystemError) {
            try Descriptor.write(Array("\(line)\n".utf8), to: STDOUT_FILENO)
        } catch {
            error.endQuietlyIfUnread()
            throw error
        }
    }

    /// Takes the places of streams that the process was started without (`>&-`), so that no file or socket that is
    /// opened later is taken for one of them. Writing to such a stream fails, as it should.
    package static func occupy() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is this one, since those before it are taken.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Why the system refused.
package struct SystemError: Error, CustomStringConvertible {
    package let code: Int32

    package init(_ code: Int32 = errno) { self.code = code }

    package var description: String { String(cString: strerror(code)) }

    /// No room on the disk, or none left for this user.
    package var isFullDisk: Bool { code == ENOSPC || code == EDQUOT }

    /// Ends the process by SIGPIPE when that is what happened: whoever read has had enough.
    package func endQuietlyIfUnread() {
        guard code == EPIPE else { return }
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        // This thread may not take signals; to a shell it is the same.
        _exit(128 + SIGPIPE)
    }
}

/// Calls on file descriptors, with their errors.
package enum Descriptor {
    package static func write(_ bytes: some ContiguousBytes, to descriptor: Int32) throws(SystemError) {
        let failure: SystemError? = bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return SystemError() }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Makes durable what was written; what has no disk below it needs nothing.
    package static func synchronise(_ descriptor: Int32) throws(SystemError) {
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw SystemError() }
    }
}

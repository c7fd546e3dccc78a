internal import Glibc

/// Where log lines go.
package struct LogOutput: Sendable {
    /// Takes a whole line, with its newline.
    package var write: @Sendable ([UInt8]) -> Void

    package init(_ write: @escaping @Sendable ([UInt8]) -> Void) { self.write = write }

    /// One write(2) a line, so that lines of several threads don't mix. A line that can't be written is lost: there is
    /// nowhere to say so.
    package static let standardError = LogOutput { line in
        line.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}

internal import Glibc
internal import Logging
internal import ServiceLifecycle

/// Keeps a service's metrics in a file, `DIR/run/NAME.prom`, written anew every fifteen seconds.
///
/// A service listens on nothing but its socket, and a page of numbers needs no method, no role and no port: whoever may
/// enter the folder reads the file, and node_exporter's textfile collector takes it from there. It is removed when the
/// service stops, so that nobody takes old figures for new ones.
struct MetricsFile: Service {
    static let interval: Duration = .seconds(15)

    let registry: MetricsRegistry
    let path: String
    let logger: Logger
    var interval = Self.interval

    func run() async throws {
        defer { unlink(path) }
        var isFailing = false
        while !Task.isCancelled {
            let error = write()
            if error != 0, !isFailing {
                // Once for each time that it begins: the service goes on without.
                logger.warning(
                    "the metrics file can't be written",
                    metadata: [LogKey.component: "metrics", LogKey.reason: .string(String(cString: strerror(error)))])
            }
            isFailing = error != 0
            try await Task.sleep(for: interval)
        }
    }

    /// Whole or not at all: a reader sees the old text or the new one. Returns 0 or an `errno`.
    func write() -> Int32 {
        let text = Array(registry.text().utf8)
        let temporary = path + ".new"
        // What a process that was killed left behind. Not followed and not shared: the folder is other services' too.
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else { return errno }
        // The group's right to read is taken away by the process's umask.
        var error = fchmod(file, 0o640) == 0 ? Self.write(text, to: file) : errno
        if close(file) != 0, error == 0 { error = errno }
        if error == 0, rename(temporary, path) != 0 { error = errno }
        if error != 0 { unlink(temporary) }
        return error
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let written = Glibc.write(file, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return errno }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
            return 0
        }
    }
}

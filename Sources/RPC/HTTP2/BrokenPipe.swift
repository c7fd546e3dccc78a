internal import Glibc

/// A write to a connection whose other end is gone must be an error, not a signal that ends the process.
enum BrokenPipe {
    /// Ignores SIGPIPE for the whole process; done once, when first read.
    static let ignore: Void = {
        signal(SIGPIPE, SIG_IGN)
    }()
}

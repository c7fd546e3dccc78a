internal import CLinux
internal import Glibc
internal import Logging

/// What is set once for the whole process, before anything secret is in its memory.
enum ProcessSettings {
    static func apply() throws(StartUpError) {
        // Files are the service's own unless a mode is set on purpose.
        umask(0o077)
        // A peer that hangs up is an error of write(2), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        try forbidCoreDumps()
        raiseFileLimit()
    }

    /// A core file would hold session keys. The limit covers core files, the flag also dumps that are piped to a
    /// program, and tracing by another process of the same user.
    private static func forbidCoreDumps() throws(StartUpError) {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0, samtal_disable_core_dumps() == 0 else {
            throw StartUpError(
                "core dumps can't be turned off (\(String(cString: strerror(errno))))",
                remedy: "let the service call setrlimit and prctl")
        }
    }

    /// Every connection is a descriptor; the soft limit is often 1,024.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        // If this fails, connections over the old limit are refused at accept, which is where the bound belongs.
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

internal import Glibc

/// The folders that a service keeps its files in, and who may enter them.
struct DataFolders: Sendable {
    /// Holds the folders of all services.
    let root: String
    /// Holds the sockets. The group may enter: that is how the other services' users get in.
    let run: String
    /// Holds the service's databases and keys. Nobody else may enter.
    let own: String

    init(root: String, service: String) {
        let root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        self.root = root
        run = "\(root)/run"
        own = "\(root)/\(service)"
    }

    func socket(of service: String) -> String { "\(run)/\(service).sock" }

    /// Makes the folders that aren't there, and checks the modes of those that are.
    func prepare() throws(StartUpError) {
        try Self.makeFolder(root, mode: 0o750)
        try Self.makeFolder(run, mode: 0o750)
        try Self.makeFolder(own, mode: 0o700)
        try Self.closeToOthers(own)
        guard access(run, W_OK | X_OK) == 0 else {
            throw StartUpError(
                "no socket can be made in \(run)",
                remedy: "give this user write access to it, with mode 0770 for a group")
        }
    }

    /// Makes a folder and those above it. The mode is set after making it, since the umask takes bits away.
    private static func makeFolder(_ path: String, mode: mode_t) throws(StartUpError) {
        if isFolder(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]), mode: 0o750)
        }
        if mkdir(path, mode) == 0 {
            guard chmod(path, mode) == 0 else { throw failure("set the mode of", path) }
        } else if errno != EEXIST || !isFolder(path) {
            // Another service may have made it at the same moment.
            throw failure("make the folder", path)
        }
    }

    /// Takes everybody else's access away; refuses a folder that belongs to another user.
    private static func closeToOthers(_ path: String) throws(StartUpError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("read", path) }
        guard status.st_uid == geteuid() else {
            throw StartUpError(
                "\(path) belongs to user \(status.st_uid), not to this one (\(geteuid()))",
                remedy: "run the service as that user, or chown the folder")
        }
        if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 { throw failure("close", path) }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func failure(_ action: String, _ path: String) -> StartUpError {
        StartUpError(
            "cannot \(action) \(path) (\(String(cString: strerror(errno))))",
            remedy: "choose another folder with --data, or give this user access to it")
    }
}

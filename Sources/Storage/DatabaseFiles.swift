internal import Foundation

/// The files of one database, kept from everyone but their owner.
enum DatabaseFiles {
    /// Creates the folder (0700) and an empty database file (0600) where they are missing, and takes the file's group
    /// and other permissions away where they exist. SQLite gives -wal and -shm the mode of the database file.
    ///
    /// Call it with the process lock held and before SQLite opens the file: closing any descriptor of a file drops the
    /// POSIX locks that SQLite holds on it in this process.
    static func prepare(path: String) throws(StorageError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(errno: errno, "the database file can't be opened")
        }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw StorageError(errno: errno, "the database file's mode can't be set")
        }
        for companion in ["-wal", "-shm"] where access(path + companion, F_OK) == 0 {
            guard chmod(path + companion, 0o600) == 0 else {
                throw StorageError(errno: errno, "the mode of the database's \(companion) can't be set")
            }
        }
        try synchroniseFolder(of: path)
    }

    /// Creates the folder of `path` and those above it, each with mode 0700. A folder that exists is left as it is.
    static func createFolder(of path: String) throws(StorageError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder(of: path), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
            throw StorageError(isFull ? .full : .other, "the database's folder can't be created")
        }
    }

    /// Size in bytes; 0 for a file that does not exist.
    static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Makes a new file's name as durable as what will be written into it.
    static func synchroniseFolder(of path: String) throws(StorageError) {
        let descriptor = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StorageError(errno: errno, "the database's folder can't be opened")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StorageError(errno: errno, "the database's folder can't be synchronised")
        }
    }

    private static func folder(of path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }
}

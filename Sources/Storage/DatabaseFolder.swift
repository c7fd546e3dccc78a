internal import Foundation

/// A folder of many database files, kept from everyone but their owner.
public struct DatabaseFolder: Sendable {
    /// What was taken away, as it was seen.
    public struct Removed: Sendable, Hashable {
        public var files = 0
        public var bytes: Int64 = 0

        public init(files: Int = 0, bytes: Int64 = 0) {
            self.files = files
            self.bytes = bytes
        }
    }

    /// What SQLite keeps beside a database file.
    private static let companions = ["-wal", "-shm", "-journal"]

    public let path: String

    /// Creates the folder (mode 0700) and those above it where they are missing.
    public init(_ path: String) throws(StorageError) {
        self.path = path
        try DatabaseFiles.createFolder(of: path + "/file")
        try DatabaseFiles.synchroniseFolder(of: path)
    }

    public func path(of name: String) -> String { "\(path)/\(name)" }

    public func contains(_ name: String) -> Bool { access(path(of: name), F_OK) == 0 }

    /// The names of all files, in no order.
    public func names() throws(StorageError) -> [String] {
        guard let folder = opendir(path) else { throw StorageError(errno: errno, "the folder can't be listed") }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes an empty file, which needs no block of the disk as a rule. One that exists is left as it is.
    public func mark(_ name: String) throws(StorageError) {
        let descriptor = open(path(of: name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "a file can't be created") }
        close(descriptor)
    }

    /// Lets a database file, which nobody may have open, take the place of another, at once and durably: the other is
    /// unlinked.
    /// - Throws: ``StorageError/Code/busy`` if either still has a log: what is in it would be lost, or be taken for the
    ///   other's.
    public func replace(_ name: String, by other: String) throws(StorageError) {
        for file in [name, other] {
            for companion in Self.companions where size(file + companion) > 0 {
                throw StorageError(.busy, "a database has a log that is not copied into it")
            }
            for companion in Self.companions { unlink(path(of: file + companion)) }
        }
        guard rename(path(of: other), path(of: name)) == 0 else {
            throw StorageError(errno: errno, "a file can't be renamed")
        }
        try synchronise()
    }

    private func size(_ name: String) -> Int { DatabaseFiles.size(of: path(of: name)) }

    /// What ``remove(_:)`` would take away.
    public func sizes(_ name: String) -> Removed {
        var found = Removed()
        for file in Self.companions.map({ name + $0 }) + [name] {
            var status = stat()
            guard lstat(path(of: file), &status) == 0 else { continue }
            found.files += 1
            found.bytes += Int64(status.st_size)
        }
        return found
    }

    /// Unlinks a database file, which nobody may have open, with what SQLite keeps beside it. Needs no room on the disk.
    /// The companions go first: a database without its log is less than one with a log of nothing.
    /// - Returns: The files that were there. Gone for good after ``synchronise()``.
    public func remove(_ name: String) throws(StorageError) -> Removed {
        var removed = Removed()
        for file in Self.companions.map({ name + $0 }) + [name] {
            var status = stat()
            guard lstat(path(of: file), &status) == 0 else {
                guard errno == ENOENT else { throw StorageError(errno: errno, "a file can't be reached") }
                continue
            }
            guard unlink(path(of: file)) == 0 else { throw StorageError(errno: errno, "a file can't be unlinked") }
            removed.files += 1
            removed.bytes += Int64(status.st_size)
        }
        return removed
    }

    /// Makes names that were added and taken away as durable as what is in the files.
    public func synchronise() throws(StorageError) {
        try DatabaseFiles.synchroniseFolder(of: path + "/file")
    }
}

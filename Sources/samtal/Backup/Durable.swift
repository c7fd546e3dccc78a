import CoreFoundation
import Foundation

/// Files and folders that are there when the power fails.
enum Durable {
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure("Can't make the folder \(path).")
        }
    }

    /// Writes a new file (0600).
    static func write(_ bytes: [UInt8], to path: String) throws {
        try makeFolder((path as NSString).deletingLastPathComponent)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupFolder.failure("make \(path)") }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, named: path)
        guard fsync(descriptor) == 0 else { throw BackupFolder.failure("write \(path)") }
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, named path: String) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw BackupFolder.failure("write \(path)") }
            written += count
        }
    }

    static func synchroniseFolder(_ path: String) throws {
        let folder = open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw BackupFolder.failure("open \(path)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw BackupFolder.failure("store \(path)") }
    }

    static func synchroniseFolders(below path: String) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder), isFolder.boolValue {
                try synchroniseFolder("\(path)/\(name)")
            }
        }
        try synchroniseFolder(path)
    }
}

/// A folder that is to be gone, with the keys in it.
enum Doomed {
    /// Overwrites every file that may hold keys where it lies, and removes the folder.
    static func destroy(_ folder: String) throws {
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] where isOfKeys(name) {
            try overwrite("\(folder)/\(name)")
        }
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            throw CommandFailure("Can't remove \(folder). Remove it by hand.")
        }
    }

    private static func isOfKeys(_ path: String) -> Bool {
        ["slots", "wrapping-keys"].contains((path as NSString).lastPathComponent)
    }

    private static func overwrite(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw BackupFolder.failure("overwrite \(path)") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw BackupFolder.failure("overwrite \(path)") }
        var left = Int(status.st_size)
        while left > 0 {
            let count = min(left, 1 << 20)
            try Durable.write([UInt8](repeating: 0, count: count), to: descriptor, named: path)
            left -= count
        }
        guard fdatasync(descriptor) == 0 else { throw BackupFolder.failure("overwrite \(path)") }
    }
}

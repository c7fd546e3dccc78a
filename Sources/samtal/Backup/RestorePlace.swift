import Backup
import CoreFoundation
import Crypto
import Foundation

/// One half of a backup that is read.
struct BackupSource {
    let manifest: BackupManifest
    private let folder: String

    init(_ manifest: BackupManifest, in folder: String) throws {
        self.manifest = manifest
        self.folder = folder
    }

    func holds(_ service: String) -> Bool { manifest.files.contains { $0.path.hasPrefix(service + "/") } }

    /// Checks that every file is there as it was written, and no other.
    func check() throws {
        let own: Set<String> = [BackupManifest.fileName, "README"]
        let expected = Set(manifest.files.map(\.path))
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { continue }
            guard expected.contains(name) || own.contains(name) else {
                throw CommandFailure("\(folder)/\(name) is no part of the backup. Take it away, if it is nothing.")
            }
        }
        for file in manifest.files { try read(file) { _ in } }
    }

    /// Copies what is of a service into its folder.
    func copy(_ service: String, to target: String) throws {
        for file in manifest.files where file.path.hasPrefix(service + "/") {
            let path = "\(target)/\(file.path.dropFirst(service.count + 1))"
            try Durable.makeFolder((path as NSString).deletingLastPathComponent)
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw BackupFolder.failure("make \(path)") }
            defer { close(descriptor) }
            try read(file) { bytes in try Durable.write(bytes, to: descriptor, named: path) }
            guard fsync(descriptor) == 0 else { throw BackupFolder.failure("write \(path)") }
        }
    }

    private func read(_ file: BackupManifest.File, _ body: ([UInt8]) throws -> Void) throws {
        let path = "\(folder)/\(file.path)"
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure("\(path) is missing, or can't be read.") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var digest = SHA256()
        var size = 0
        while let data = try? handle.read(upToCount: 1 << 20), !data.isEmpty {
            size += data.count
            guard size <= file.bytes else { break }
            digest.update(data: data)
            try body(Array(data))
        }
        guard size == file.bytes, BackupManifest.hexadecimal(digest.finalize()) == file.sha256 else {
            throw CommandFailure("\(path) is not what was written: the backup is damaged, and nothing was restored.")
        }
    }
}

/// A service's folder in the data folder, kept from the service while it is replaced.
final class RestorePlace {
    private static let locks = [
        "identity": ["identity.sqlite.lock"], "chat": ["index.sqlite.lock"],
        "retention": ["retention.sqlite.lock", "keys/lock"],
    ]

    private let service: String
    private let folder: String
    private let draft: String
    private let aside: String
    private let owner: (user: uid_t, group: gid_t)
    private var held: [Int32] = []

    /// - Throws: `CommandFailure` if the service runs, or there is something and it is not to be replaced.
    init(_ service: String, in data: String, replaces: Bool) throws {
        self.service = service
        folder = "\(data)/\(service)"
        draft = "\(folder).restoring"
        aside = "\(folder).replaced"
        var status = stat()
        guard stat(folder, &status) == 0 || stat(data, &status) == 0 else {
            throw CommandFailure("There is no data folder \(data). Make it first, as the services' user.")
        }
        owner = (status.st_uid, status.st_gid)
        do {
            for name in Self.locks[service] ?? [] { try lock("\(folder)/\(name)") }
            let there = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            guard replaces || there.allSatisfy({ $0.hasSuffix(".lock") }) else {
                throw CommandFailure(
                    "\(folder) is not empty. Replace what is there with --replace: it is then gone for good.")
            }
        } catch {
            unlock()
            throw error
        }
    }

    private func lock(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        held.append(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandFailure("samtal-\(service) is running on \(folder). Stop it first.")
        }
    }

    func unlock() {
        for descriptor in held { close(descriptor) }
        held = []
    }

    /// Copies the service's files beside its folder.
    func stage(_ sources: [BackupSource], mark: RestoredMark) throws {
        // What an earlier try has left.
        for path in [draft, aside] where access(path, F_OK) == 0 { try Doomed.destroy(path) }
        try Durable.makeFolder(draft)
        for source in sources { try source.copy(service, to: draft) }
        try Durable.write(try mark.encoded(), to: "\(draft)/\(RestoredMark.fileName)")
        try give(draft)
        for name in try FileManager.default.subpathsOfDirectory(atPath: draft) { try give("\(draft)/\(name)") }
        try Durable.synchroniseFolders(below: draft)
    }

    private func give(_ path: String) throws {
        guard geteuid() == 0 else { return }
        guard lchown(path, owner.user, owner.group) == 0 else {
            throw BackupFolder.failure("give \(path) to its owner")
        }
    }

    /// Puts it in the folder's place, and removes what was there.
    func swap() throws {
        if access(folder, F_OK) == 0 {
            guard rename(folder, aside) == 0 else { throw BackupFolder.failure("put \(folder) aside") }
        }
        guard rename(draft, folder) == 0 else { throw BackupFolder.failure("put \(folder) in its place") }
        try Durable.synchroniseFolder((folder as NSString).deletingLastPathComponent)
        if access(aside, F_OK) == 0 { try Doomed.destroy(aside) }
    }

    /// Nothing is to be left of what was not put in place; what was put aside is put back.
    func abandon() {
        if access(folder, F_OK) != 0, access(aside, F_OK) == 0 { rename(aside, folder) }
        if access(draft, F_OK) == 0 { try? Doomed.destroy(draft) }
    }
}

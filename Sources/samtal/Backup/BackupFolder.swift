import Backup
import Contracts
import Crypto
import Foundation
import RPC

/// The folder of a backup while it is made: beside its place, which it takes when it is whole and on disk. A failure leaves
/// nothing behind.
struct BackupFolder {
    private let draft: String
    private let createTime = Date()
    private let identifier = String(UInt64.random(in: .min ... .max), radix: 36)
    private var files: [BackupManifest.Half: [String: BackupManifest.File]] = [:]

    private init(draft: String) { self.draft = draft }

    static func make(at path: String, _ body: (inout BackupFolder) async throws -> Void) async throws {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        let there = try? FileManager.default.contentsOfDirectory(atPath: path)
        guard there?.isEmpty ?? (access(path, F_OK) != 0) else {
            throw CommandFailure("\(path) is there already, and is no empty folder. Name another.")
        }
        let draft = "\(path).part-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        guard mkdir(draft, 0o700) == 0 else {
            throw CommandFailure("Can't make a folder beside \(path) (\(String(cString: strerror(errno)))).")
        }
        do {
            var backup = BackupFolder(draft: draft)
            try await body(&backup)
            guard rename(draft, path) == 0 else { throw Self.failure("name the backup") }
            try Durable.synchroniseFolder((path as NSString).deletingLastPathComponent)
        } catch {
            try? Doomed.destroy(draft)
            throw error
        }
    }

    /// Writes what a service sends.
    /// - Returns: the names of what it could not read.
    mutating func receive(
        _ stream: ResponseStream<BackupV1.BackupChunk>, as half: BackupManifest.Half, under service: String
    ) async throws -> [String] {
        var left: [String] = []
        var file: ReceivedFile?
        for try await chunk in stream {
            // Keys come with the folder that they have in the service's own.
            let name = "\(service)/\(chunk.file)"
            guard BackupManifest.isInside(name) else {
                throw CommandFailure("\(service) sent a file of a strange name.")
            }
            let path = "\(draft)/\(half.rawValue)/\(name)"
            if chunk.removed || chunk.unreadable {
                unlink(path)
                files[half, default: [:]][name] = nil
                if chunk.unreadable { left.append(name) }
                continue
            }
            if file?.name != name {
                guard file == nil else { throw CommandFailure("\(service) sent a file that has no end.") }
                file = try ReceivedFile(name: name, path: path)
            }
            try file?.append(chunk.data)
            guard !chunk.sha256.isEmpty, let whole = file else { continue }
            files[half, default: [:]][name] = try whole.end(expecting: chunk.sha256)
            file = nil
        }
        guard file == nil else { throw CommandFailure("\(service) ended in the middle of a file.") }
        return left
    }

    /// Says in the folder of the keys what they are.
    func explainKeys(until expiry: Date) throws {
        let time = expiry.formatted(.iso8601)
        let text = """
            Session keys of Samtal, copied \(createTime.formatted(.iso8601)).
            TO BE GONE BY \(time): samtal backup prune THIS-FOLDER

            A holder of this folder and of a copy of the content can read every session of that time, also those that were
            erased since. Every certificate until then says that it exists. Keep it apart from the content, and make no
            copy of it.

            """
        try Durable.write(Array(text.utf8), to: "\(draft)/keys/README")
    }

    /// Writes the manifests, and makes all of it durable.
    func conclude(keysUntil expiry: Date?) throws {
        for (half, files) in files {
            let manifest = BackupManifest(
                half: half, backup: identifier, createTime: createTime, expireTime: half == .keys ? expiry : nil,
                files: Array(files.values))
            try Durable.write(try manifest.encoded(), to: "\(draft)/\(half.rawValue)/\(BackupManifest.fileName)")
        }
        try Durable.synchroniseFolders(below: draft)
    }

    static func failure(_ action: String) -> CommandFailure {
        let reason = errno
        let advice = reason == ENOSPC ? " Make room on its disk, or choose another." : ""
        return CommandFailure("Can't \(action) (\(String(cString: strerror(reason)))).\(advice)")
    }
}

/// A file that comes in parts.
private struct ReceivedFile {
    let name: String
    private let path: String
    private var digest = SHA256()
    private var size = 0
    private let descriptor: Int32

    init(name: String, path: String) throws {
        self.name = name
        self.path = path
        try Durable.makeFolder((path as NSString).deletingLastPathComponent)
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupFolder.failure("make \(path)") }
    }

    mutating func append(_ bytes: [UInt8]) throws {
        digest.update(data: bytes)
        size += bytes.count
        do { try Durable.write(bytes, to: descriptor, named: path) } catch {
            close(descriptor)
            throw error
        }
    }

    func end(expecting sha256: [UInt8]) throws -> BackupManifest.File {
        defer { close(descriptor) }
        let found = Array(digest.finalize())
        guard found == sha256 else { throw CommandFailure("\(name) came damaged. Try again.") }
        guard fsync(descriptor) == 0 else { throw BackupFolder.failure("write \(path)") }
        return .init(path: name, bytes: size, sha256: BackupManifest.hexadecimal(found))
    }
}

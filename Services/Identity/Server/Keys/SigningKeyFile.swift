package import Crypto
internal import CryptoExtras
internal import Foundation
internal import Glibc
internal import ServiceKit

/// The private key's own file, apart from the database and its backups: PKCS #8 as PEM, readable by its owner alone.
///
/// Whoever calls holds the database's lock, so that two processes don't make a key each.
package struct SigningKeyFile: Sendable {
    /// A PEM of an Ed25519 key has 119 bytes; anything much larger is something else.
    private static let maximumBytes = 4096

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Reads the key, or makes one if there is none yet.
    /// - Throws: `StartUpError` saying what is wrong with the file.
    package func loadOrCreate() throws -> Curve25519.Signing.PrivateKey {
        if let key = try load() { return key }
        try create(Curve25519.Signing.PrivateKey())
        guard let key = try load() else { throw failure("vanished after it was written") }
        return key
    }

    /// Nil if there is no file.
    private func load() throws -> Curve25519.Signing.PrivateKey? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("can't be opened (errno \(errno))") }
            return nil
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("is not a regular file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw failure("is open to other users", remedy: "chmod 600, and think about who may have read it")
        }
        guard let data = try handle.read(upToCount: Self.maximumBytes),
            let key = try? Curve25519.Signing.PrivateKey(pemRepresentation: String(decoding: data, as: UTF8.self))
        else { throw failure("holds no Ed25519 key in PEM") }
        return key
    }

    /// Writes under another name and links it to its own when it is whole and durable, so that no crash leaves half a
    /// key, and a key that is there is never overwritten.
    private func create(_ key: Curve25519.Signing.PrivateKey) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("can't be created (errno \(errno))") }
        defer { unlink(draft) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data((key.pemRepresentation + "\n").utf8))
            try handle.synchronize()
        } catch {
            throw failure("can't be written")
        }
        guard link(draft, path) == 0 else { throw failure("can't be put in place (errno \(errno))") }
        try synchroniseFolder()
    }

    /// Makes the file's name as durable as what is in it.
    private func synchroniseFolder() throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("is in a folder that can't be opened (errno \(errno))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw failure("is in a folder that can't be synchronised (errno \(errno))")
        }
    }

    private func failure(_ reason: String, remedy: String = "restore it, or delete it to have a new key made")
        -> StartUpError
    {
        StartUpError("the signing key's file \(path) \(reason)", remedy: remedy)
    }
}

import Crypto
import Foundation
package import RetentionCore

#if canImport(Glibc)
    import Glibc
#endif

/// The ledger's private key in its file: 32 raw bytes, mode 0600, made once and never replaced.
package enum LedgerKeyFile {
    /// Why the key can't be used.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String
    }

    private static let keyLength = 32

    /// Reads the key, or makes it when there is no file.
    package static func signer(path: String) throws(Problem) -> LedgerSigner {
        if let signer = try read(path: path) { return signer }
        try create(path: path)
        guard let signer = try read(path: path) else {
            throw Problem(description: "the ledger's key vanished while it was being made")
        }
        return signer
    }

    private static func read(path: String) throws(Problem) -> LedgerSigner? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("opening the ledger's key") }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("examining the ledger's key") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw Problem(description: "the ledger's key must be a file that only its owner can read (mode 0600)")
        }
        var bytes = [UInt8](repeating: 0, count: keyLength + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count == keyLength,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes.prefix(keyLength)),
            let signer = LedgerSigner(privateKey: key)
        else { throw Problem(description: "the ledger's key is damaged: it is not \(keyLength) bytes of a key") }
        return signer
    }

    /// Written whole and made durable under another name, then linked: the file is there complete or not at all, and
    /// a key that somebody else made in the meantime is left alone.
    private static func create(path: String) throws(Problem) {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("making the ledger's key") }
        defer { unlink(draft) }
        let bytes = Array(Curve25519.Signing.PrivateKey().rawRepresentation)
        let written = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        let cause = errno
        close(descriptor)
        guard written else { throw failure("writing the ledger's key", cause) }
        guard link(draft, path) == 0 || errno == EEXIST else { throw failure("naming the ledger's key") }
        try syncFolder(of: path)
    }

    private static func syncFolder(of path: String) throws(Problem) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opening the ledger key's folder") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("storing the ledger's key") }
    }

    private static func failure(_ activity: String, _ code: Int32 = errno) -> Problem {
        Problem(description: "\(activity): \(String(cString: strerror(code)))")
    }
}

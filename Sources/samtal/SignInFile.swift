import Contracts
import Foundation
import RPC
import ServiceKit

#if canImport(Glibc)
    import Glibc
#endif

/// An administrator's tokens between two commands. No name and no address: only what is needed to go on.
struct KeptSignIn: Codable {
    private static let format = "samtal-sign-in"
    /// Before its expiry an access token is renewed, so that it outlives the call it is used for.
    private static let margin: TimeInterval = 60

    var format: String
    var accessToken: String
    /// Seconds since 1970.
    var accessTokenExpiry: Double
    var refreshToken: String

    enum CodingKeys: String, CodingKey {
        case format
        case accessToken = "access_token"
        case accessTokenExpiry = "access_token_expiry"
        case refreshToken = "refresh_token"
    }

    init(_ answer: IdentityV1.SignInResponse) {
        format = Self.format
        accessToken = answer.accessToken
        accessTokenExpiry = answer.accessTokenExpireTime?.date.timeIntervalSince1970 ?? 0
        refreshToken = answer.refreshToken
    }

    /// A token goes into a header as it is, so nothing but a token's characters may be in it.
    var isWellFormed: Bool {
        format == Self.format && Self.isToken(accessToken) && Self.isToken(refreshToken)
    }

    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    func isStale(at now: Date) -> Bool {
        now.timeIntervalSince1970 >= accessTokenExpiry - Self.margin
    }
}

/// The file that a sign-in is kept in: readable by its owner alone, replaced whole, used by one command at a time.
struct SignInFile {
    private static let maximumBytes = 16384
    /// A command holds the file while it renews a token: one call.
    private static let longestWait = Duration.seconds(30)

    let path: String
    /// Only the default folder is made; one that somebody names is theirs.
    var makesFolder = false

    /// Whether there is one; ``read()`` says whether it is any good.
    var isThere: Bool { access(path, F_OK) == 0 }

    func read() throws -> KeptSignIn {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR:
                throw CommandFailure("Nobody is signed in (\(path)). samtal sign-in signs an administrator in.")
            case ELOOP: throw failure("is no regular file")
            default: throw failure("can't be opened")
            }
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // Of what was opened: a path can lead to another file by the time that it is asked about.
        guard let status = FileStatus(of: descriptor) else { throw failure("can't be read") }
        guard status.isRegular else { throw failure("is no regular file") }
        guard status.owner == geteuid(), !status.isOpenToOthers else {
            throw failure("is open to other users. Remove it, and sign in again: samtal sign-in")
        }
        guard let data = try? file.read(upToCount: Self.maximumBytes),
            let kept = try? JSONDecoder().decode(KeptSignIn.self, from: data), kept.isWellFormed
        else { throw failure("holds no sign-in. Remove it, and sign in again: samtal sign-in") }
        return kept
    }

    /// Written whole under another name first: a crash leaves the old one or the new one.
    func write(_ kept: KeptSignIn) throws {
        let draft = "\(path).new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("can't be written") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: JSONEncoder().encode(kept))
            try file.synchronize()
        } catch {
            unlink(draft)
            throw failure("can't be written")
        }
        guard rename(draft, path) == 0 else {
            unlink(draft)
            throw failure("can't be written")
        }
    }

    func remove() throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("can't be removed") }
    }

    /// Keeps other commands away from the file. Two that renewed the token at once would end the sign-in.
    func locked<Result>(_ body: () async throws -> Result) async throws -> Result {
        if makesFolder {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let descriptor = open("\(path).lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("can't be locked: is its folder one that you may write in?") }
        defer { close(descriptor) }
        let end = ContinuousClock.now.advanced(by: Self.longestWait)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < end else { throw failure("is in use by another command") }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await body()
    }

    private func failure(_ what: String) -> CommandFailure {
        CommandFailure("The sign-in's file \(path) \(what).")
    }
}

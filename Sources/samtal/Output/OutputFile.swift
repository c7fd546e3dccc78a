import Dispatch
import Foundation
import ServiceKit

/// What a command writes to where `--output` says.
///
/// A file is written beside its place and gets its name when it is whole and on disk; a failure or Ctrl-C leaves
/// nothing behind, and a file that was there keeps its content until then, and its permissions. Anything else, such as
/// a device or a pipe, is written through.
struct OutputFile {
    /// Who may read a new file.
    enum Privacy {
        /// Its owner: it holds personal data.
        case owner
        /// Whoever the umask lets.
        case everyone
    }

    private let descriptor: Int32
    private let name: String
    private let folder: String

    func write(_ bytes: some ContiguousBytes) throws {
        do throws(SystemError) {
            try Descriptor.write(bytes, to: descriptor)
        } catch {
            throw Self.failure(error, name, in: folder)
        }
    }

    /// Runs `body` with a file to write, which is put in its place when `body` returns.
    ///
    /// - Parameters:
    ///   - isNew: refuses to replace a file.
    /// - Returns: what `body` returns.
    static func write<Result>(
        to name: String, readableBy privacy: Privacy, isNew: Bool = false, _ body: (OutputFile) async throws -> Result
    ) async throws -> Result {
        switch try OutputTarget(path: name) {
        case .descriptor(let number):
            return try await body(OutputFile(descriptor: number, name: name, folder: ""))
        case .device(let path):
            let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw failure(SystemError(), name, in: "") }
            defer { close(descriptor) }
            return try await body(OutputFile(descriptor: descriptor, name: name, folder: ""))
        case .file(let path, let mode):
            if isNew, mode != nil {
                throw CommandFailure("\(name) exists already. Name another file with --output.")
            }
            return try await writeBeside(path, name, mode: mode ?? newMode(privacy), isNew: isNew, body)
        }
    }

    private static func writeBeside<Result>(
        _ path: String, _ name: String, mode: mode_t, isNew: Bool, _ body: (OutputFile) async throws -> Result
    ) async throws -> Result {
        let folder = OutputTarget.folder(of: path)
        // Short, so that it fits beside the longest name there can be.
        let draft = "\(folder)/.samtal-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(SystemError(), name, in: folder) }
        let interruptions = Interruptions(removing: draft)
        defer { interruptions.end() }
        do {
            defer { close(descriptor) }
            let result = try await body(OutputFile(descriptor: descriptor, name: name, folder: folder))
            do throws(SystemError) {
                guard fchmod(descriptor, mode) == 0 else { throw SystemError() }
                try Descriptor.synchronise(descriptor)
                try place(draft, at: path, isNew: isNew)
                try synchroniseFolder(folder)
            } catch {
                throw failure(error, name, in: folder)
            }
            return result
        } catch {
            unlink(draft)
            throw error
        }
    }

    private static func place(_ draft: String, at path: String, isNew: Bool) throws(SystemError) {
        if isNew {
            // Unlike renaming, this never replaces a file that has come to be there meanwhile.
            if link(draft, path) == 0 {
                unlink(draft)
                return
            }
            // A file system without such links is left to the check that was made before.
            guard errno == EPERM || errno == ENOTSUP || errno == ENOSYS else { throw SystemError() }
        }
        guard rename(draft, path) == 0 else { throw SystemError() }
    }

    private static func synchroniseFolder(_ folder: String) throws(SystemError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder may be written to without being readable.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        try Descriptor.synchronise(descriptor)
    }

    private static func newMode(_ privacy: Privacy) -> mode_t {
        guard privacy == .everyone else { return 0o600 }
        let mask = umask(0)
        umask(mask)
        return 0o666 & ~mask
    }

    /// - Parameter folder: that of a file; empty for what is no file.
    private static func failure(_ error: SystemError, _ name: String, in folder: String) -> CommandFailure {
        let disk = folder.isEmpty ? "\(name) is full" : "The disk of \(folder) is full"
        return switch error.code {
        case ENOSPC, EDQUOT:
            CommandFailure("\(disk), and \(name) was not written. Make room, or name another place with --output.")
        case EEXIST: CommandFailure("\(name) exists already. Name another file with --output.")
        case ENOENT where access(folder, F_OK) != 0:
            CommandFailure("There is no folder \(folder). Make it, or name another file with --output.")
        case EPIPE: CommandFailure("Whoever read \(name) has stopped reading; it was not written to the end.")
        default:
            CommandFailure("Can't write \(name) (\(error)). Name a file in a folder you may write to with --output.")
        }
    }
}

/// Removes a file when the command is interrupted: what was written so far may be personal data, and is of no use.
private struct Interruptions {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    private let sources: [any DispatchSourceSignal]

    init(removing path: String) {
        sources = Self.signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                unlink(path)
                _exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    func end() {
        for source in sources { source.cancel() }
        for number in Self.signals { signal(number, SIG_DFL) }
    }
}

import CoreFoundation
import Foundation
import Glibc

/// What the path of an output file leads to.
enum OutputTarget: Equatable {
    /// A file, or a name that is free: symbolic links are followed, also to a file that isn't there yet.
    ///
    /// - Parameter mode: permissions of the file that is there.
    case file(path: String, mode: mode_t?)
    /// A device, a pipe or a socket: to be written through.
    case device(path: String)
    /// One of this process's own descriptors, such as /dev/stdout.
    case descriptor(Int32)

    /// As many as Linux follows.
    private static let maximumLinks = 40

    /// - Throws: `CommandFailure` for a folder, and for links that go round in circles.
    init(path: String) throws {
        guard !path.isEmpty else { throw CommandFailure("--output names no file.") }
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT == S_IFDIR {
            throw CommandFailure("\(path) is a folder. Name a file in it with --output.")
        }
        var resolved = path
        for _ in 0..<Self.maximumLinks {
            if let number = Self.ownDescriptor(resolved) {
                self = .descriptor(number)
                return
            }
            guard let link = Self.link(at: resolved) else {
                let isFile = !exists || status.st_mode & S_IFMT == S_IFREG
                self =
                    isFile
                    ? .file(path: resolved, mode: exists ? status.st_mode & 0o777 : nil) : .device(path: resolved)
                return
            }
            resolved = link.hasPrefix("/") ? link : Self.folder(of: resolved) + "/" + link
        }
        throw CommandFailure("\(path) is a link that leads to itself. Name another file with --output.")
    }

    /// The folder that a file lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func link(at path: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: path)
    }

    /// The links of /proc/self/fd lead to files that may have no name any more, and opening them anew would write over
    /// what the descriptor has written.
    private static func ownDescriptor(_ path: String) -> Int32? {
        for prefix in ["/proc/self/fd/", "/proc/\(getpid())/fd/", "/dev/fd/"] where path.hasPrefix(prefix) {
            return Int32(path.dropFirst(prefix.count))
        }
        return nil
    }
}

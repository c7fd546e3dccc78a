import Foundation
import Glibc

/// A file system of its own, of a few hundred kilobytes, on a folder: a disk that a test can fill.
package struct SmallDisk: Sendable {
    package let path: String

    private var filler: String { "\(path)/filler" }

    /// Whether this process may mount: as root, and not everywhere then.
    package static let isAllowed: Bool = {
        let probe = "/tmp/samtal-disk-\(UUID().uuidString)"
        guard let disk = try? SmallDisk(on: probe, kilobytes: 64) else {
            rmdir(probe)
            return false
        }
        disk.unmount()
        return true
    }()

    /// Why a test is skipped where mounting isn't allowed.
    package static let skipped = "mounting a small file system takes root"

    /// Mounts a new, empty disk on a folder, which is made if need be.
    package init(on path: String, kilobytes: Int) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k,mode=0700") == 0 else {
            throw ChildProcessError.refused("mounting on \(path): \(String(cString: strerror(errno)))")
        }
        self.path = path
    }

    /// Takes every byte that is left.
    package func fill() throws {
        let file = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ChildProcessError.refused("making \(filler)") }
        defer { close(file) }
        for size in [4096, 1] {
            let bytes = [UInt8](repeating: 0x2E, count: size)
            while write(file, bytes, size) == size {}
        }
    }

    /// Bytes that are left.
    package var free: Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return -1 }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// Gives the room back.
    package func makeRoom() { unlink(filler) }

    /// What is on it, without what fills it.
    package var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0 != "filler" }.sorted()
    }

    /// Also while somebody still has a file open.
    package func unmount() {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}

package import Foundation

/// A file system in a file, mounted through a loop device; its raw blocks can be read, freed ones included. Needs root.
package final class DiskImage {
    package enum Kind: String, Sendable {
        case ext4, xfs, btrfs
        case journalling = "ext4 with data=journal"

        var program: String { self == .journalling ? "mkfs.ext4" : "mkfs.\(rawValue)" }
        var arguments: [String] {
            switch self {
            case .ext4, .journalling: ["-q", "-F"]
            case .xfs, .btrfs: ["-q", "-f"]
            }
        }
        /// The least that each takes.
        var megabytes: Int { self == .xfs ? 300 : self == .btrfs ? 110 : 32 }
    }

    let image: String
    package let mountPoint: String
    private var isMounted = false

    /// nil where it can't be made here; why is printed.
    package static func make(_ kind: Kind) throws -> DiskImage? {
        guard geteuid() == 0 else { return skip(kind, "root is needed to mount an image") }
        let disk = try DiskImage()
        guard try run("truncate", ["-s", "\(kind.megabytes)M", disk.image]),
            try run(kind.program, kind.arguments + [disk.image])
        else { return skip(kind, "\(kind.program) is not there") }
        let options = kind == .journalling ? "loop,data=journal" : "loop"
        guard try run("mount", ["-o", options, disk.image, disk.mountPoint]) else {
            return skip(kind, "this kernel mounts no such image")
        }
        disk.isMounted = true
        return disk
    }

    private init() throws {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("samtal-\(UUID().uuidString)").path
        image = base + ".img"
        mountPoint = base
        try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
    }

    deinit {
        unmount()
        try? FileManager.default.removeItem(atPath: image)
        try? FileManager.default.removeItem(atPath: mountPoint)
    }

    package func unmount() {
        if isMounted { _ = try? Self.run("umount", [mountPoint]) }
        isMounted = false
    }

    /// Every byte of the image that was ever written, as the medium has it after everything was written out.
    package func rawBytes() throws -> Data {
        unmount()
        return try Data(contentsOf: URL(fileURLWithPath: image), options: .alwaysMapped)
    }

    /// lseek(2): Swift's Glibc does not have them.
    private static let (seekData, seekHole): (CInt, CInt) = (3, 4)

    /// What the medium holds now, while it is in use: every block that was ever written, without the holes between.
    package func snapshot() throws -> Data {
        sync()
        let file = open(image, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ChildProcessError.refused("opening \(image)") }
        defer { close(file) }
        var bytes = Data()
        var position: off_t = 0
        while true {
            let start = lseek(file, position, Self.seekData)
            guard start >= 0 else { return bytes }
            let end = lseek(file, start, Self.seekHole)
            var part = Data(count: Int(end - start))
            let read = part.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, start) }
            guard read == part.count else { throw ChildProcessError.refused("reading \(image)") }
            bytes += part
            position = end
        }
    }

    private static func skip(_ kind: Kind, _ reason: String) -> DiskImage? {
        print("SKIP a disk of \(kind.rawValue): \(reason)")
        return nil
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        process.arguments = [program] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

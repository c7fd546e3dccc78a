internal import Foundation

/// What key slots lie on, as far as it can be seen from inside the machine, and whether it may keep old copies of what
/// is overwritten.
///
/// What can't be seen: snapshots of a virtual disk taken below the machine, and the spare blocks of a flash device.
public struct Medium: Sendable, Equatable {
    /// Why an overwritten block may live on.
    public enum Risk: String, Sendable, Hashable, CaseIterable {
        /// btrfs, zfs, bcachefs: every write goes to a new block.
        case copyOnWrite = "copy-on-write"
        /// overlayfs: what is below may be kept, and what is above is unknown.
        case overlay
        /// ext3, ext4 with data=journal, or chattr +j: a copy stays in the journal.
        case dataJournal = "data-journal"
        /// f2fs, nilfs2, jffs2, ubifs.
        case logStructured = "log-structured"
        /// Blocks of the file are shared with another file, or a snapshot of the file system.
        case sharedBlocks = "shared-blocks"
        /// The device is the origin of a snapshot (LVM).
        case deviceSnapshot = "device-snapshot"
        /// NFS, CIFS, 9p, FUSE: what lies behind can't be seen.
        case remote
        /// A type that this version does not know.
        case unknown
    }

    /// As mountinfo names it, such as `ext4`.
    public var fileSystem: String
    public var risks: Set<Risk>
    /// The device says of itself that it is no rotating disk: flash, or virtual. Its own spare blocks can't be seen.
    public var isFlash: Bool

    public init(fileSystem: String, risks: Set<Risk> = [], isFlash: Bool = false) {
        self.fileSystem = fileSystem
        self.risks = risks
        self.isFlash = isFlash
    }

    public var keepsOldCopies: Bool { !risks.isEmpty }

    /// In one line, for logs and certificates: `ext4`, or `btrfs (copy-on-write)`.
    public var summary: String {
        risks.isEmpty ? fileSystem : "\(fileSystem) (\(risks.map(\.rawValue).sorted().joined(separator: ", ")))"
    }

    private static let inPlace: Set<String> = ["ext2", "ext3", "ext4", "xfs", "jfs", "tmpfs", "ramfs"]
    private static let risky: [String: Risk] = [
        "btrfs": .copyOnWrite, "zfs": .copyOnWrite, "bcachefs": .copyOnWrite, "overlay": .overlay, "aufs": .overlay,
        "f2fs": .logStructured, "nilfs2": .logStructured, "jffs2": .logStructured, "ubifs": .logStructured,
        "nfs": .remote, "nfs4": .remote, "cifs": .remote, "smb3": .remote, "9p": .remote, "virtiofs": .remote,
        "ceph": .remote,
    ]

    /// Looks at the file system that a folder is on.
    public static func look(at folder: String) -> Medium {
        let path = realpath(folder, nil).map { resolved in
            defer { free(resolved) }
            return String(cString: resolved)
        }
        // By a handle: files in /proc have no size to go by.
        let file = FileHandle(forReadingAtPath: "/proc/self/mountinfo")
        let table = String(decoding: (try? file?.readToEnd()) ?? Data(), as: UTF8.self)
        guard let mount = Mount.holding(path ?? folder, in: table) else {
            return Medium(fileSystem: "unknown", risks: [.unknown])
        }
        var medium = judge(mount)
        let device = BlockDevice(number: mount.device)
        medium.isFlash = device.isFlash
        if device.isSnapshotOrigin { medium.risks.insert(.deviceSnapshot) }
        return medium
    }

    /// What type and options say, without looking at the device.
    static func judge(_ mount: Mount) -> Medium {
        var medium = Medium(fileSystem: mount.type)
        if let risk = risky[mount.type] {
            medium.risks = [risk]
        } else if mount.type.hasPrefix("fuse") {
            medium.risks = [.remote]
        } else if !inPlace.contains(mount.type) {
            medium.risks = [.unknown]
        }
        if mount.options.contains("data=journal") { medium.risks.insert(.dataJournal) }
        return medium
    }
}

/// A line of /proc/self/mountinfo (proc(5)).
struct Mount: Equatable {
    /// MAJOR:MINOR.
    var device: String
    var point: String
    var type: String
    var options: Set<String>

    init?(_ line: some StringProtocol) {
        let halves = line.components(separatedBy: " - ")
        guard halves.count == 2 else { return nil }
        let own = halves[0].split(separator: " ")
        let system = halves[1].split(separator: " ")
        guard own.count >= 6, system.count >= 3 else { return nil }
        device = String(own[2])
        point = Self.unescaped(own[4])
        type = String(system[0])
        options = Set((own[5].split(separator: ",") + system[2].split(separator: ",")).map(String.init))
    }

    /// The mount that a path is on: the longest mount point above it, and of equal ones the last, which covers the others.
    static func holding(_ path: String, in table: String) -> Mount? {
        table.split(separator: "\n").compactMap { Mount($0) }
            .filter { path == $0.point || path.hasPrefix($0.point == "/" ? "/" : $0.point + "/") }
            .reduce(nil as Mount?) { best, mount in
                guard let best, best.point.utf8.count > mount.point.utf8.count else { return mount }
                return best
            }
    }

    /// Space, tab, line feed and backslash are written in octal.
    private static func unescaped(_ text: some StringProtocol) -> String {
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What sysfs tells of a block device.
struct BlockDevice {
    private let folder: String

    init(number: String) { folder = "/sys/dev/block/\(number)" }

    /// Of the device, or of the disk that it is a partition of.
    var isFlash: Bool {
        ["/queue/rotational", "/../queue/rotational"].contains { Self.read(folder + $0) == "0" }
    }

    /// Device mapper names the hidden origin of an LVM snapshot `…-real`, and it lies below the device.
    var isSnapshotOrigin: Bool {
        let below = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/slaves")) ?? []
        return below.contains { Self.read("/sys/block/\($0)/dm/uuid")?.hasSuffix("-real") == true }
    }

    private static func read(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

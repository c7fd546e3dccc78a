import Foundation

/// The inputs in `Seeds`, a folder for each target.
enum Seeds {
    struct Seed {
        var name: String
        var bytes: [UInt8]
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Seeds")

    /// By name, so that their order is the same everywhere.
    static func all(of target: FuzzTarget) throws -> [Seed] {
        let folder = folder.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            Seed(name: name, bytes: Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    static func folders() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}

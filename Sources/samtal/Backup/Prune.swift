import ArgumentParser
import Backup
import Foundation

extension BackupCommand {
    /// `samtal backup prune`: removes copies of keys whose time is over.
    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Overwrites and removes the copies of keys below a folder whose time is over.",
            discussion: """
                Looks at DIR, at the folders in it, and at those in these. Run it daily, wherever keys are kept: the \
                certificates say until when they are to exist. Content stays: without its keys none of its texts can be \
                read.

                Exits with 1 if a copy can't be told to be one, or can't be removed.
                """)

        @Argument(help: "The folder of a backup, or of several.") var folder: String
        @Flag(help: "Removes every copy of keys, whatever its time.") var all = false

        func run() async throws {
            var failures = 0
            for path in try candidates() {
                do {
                    guard let manifest = try Backups.manifest(of: path), manifest.half == .keys else { continue }
                    let expiry = manifest.expireTime ?? .distantPast
                    guard all || expiry <= Date() else {
                        try say("kept     \(path)  until \(expiry.formatted(.iso8601))")
                        continue
                    }
                    try Doomed.destroy(path)
                    try say("removed  \(path)  its keys were overwritten first")
                } catch let failure as CommandFailure {
                    failures += 1
                    try say("FAILED   \(path)  \(failure)")
                }
            }
            if failures > 0 { throw ExitCode(1) }
        }

        private func candidates() throws -> [String] {
            guard let first = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
                throw CommandFailure("Can't read the folder \(folder).")
            }
            let children = first.sorted().map { "\(folder)/\($0)" }
            let grandchildren = children.flatMap { child in
                ((try? FileManager.default.contentsOfDirectory(atPath: child)) ?? []).sorted().map { "\(child)/\($0)" }
            }
            return ([folder] + children + grandchildren).filter {
                access("\($0)/\(BackupManifest.fileName)", F_OK) == 0
            }
        }
    }
}

/// Reads what is in a backup's folder.
enum Backups {
    /// - Returns: nil where there is no manifest.
    /// - Throws: `CommandFailure` if it can't be read as one.
    static func manifest(of folder: String) throws -> BackupManifest? {
        let path = "\(folder)/\(BackupManifest.fileName)"
        guard access(path, F_OK) == 0 else { return nil }
        let bytes = try BoundedFile.read(path, maximumBytes: BackupManifest.maximumBytes)
        do {
            return try BackupManifest(decoding: bytes)
        } catch .unknownVersion {
            throw CommandFailure("\(path) is of another version of samtal.")
        } catch {
            throw CommandFailure("\(path) is damaged.")
        }
    }
}

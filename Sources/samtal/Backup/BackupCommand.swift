import ArgumentParser
import Backup
import Contracts
import Foundation
import RPC

/// `samtal backup`: a copy of everything, while the services run.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies everything that the services keep into a new folder, content and keys apart, while they run.",
        discussion: """
            DIR/content holds each service's files, DIR/keys the session keys with a wrapping key of their own, each with a \
            MANIFEST of sizes and SHA-256. Texts and names lie encrypted in content; with keys they can be read, also \
            of sessions that are erased later. So keep the two apart, and the keys for a short time: --keys-days. How \
            long they are to exist is put on record before they are copied, and every certificate until then says so. \
            samtal backup prune removes them when their time is over.

              samtal backup /backup/2026-11-28
              mv /backup/2026-11-28/keys /vault/2026-11-28
              samtal backup prune /vault

            Acts in the role backup (--peer USER=backup), which is given keys and is no part of the operator's.
            """,
        subcommands: [Take.self, Prune.self], defaultSubcommand: Take.self)

    struct Take: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a backup into a new folder.")

        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The folder to make; it may be there if it is empty.") var folder: String
        @Option(help: ArgumentHelp("For how many days the copy of the keys is to exist, 1 to 31.", valueName: "days"))
        var keysDays = 7
        @Flag(help: "Copies no keys: then no text or name in the backup can ever be read from it alone.")
        var contentOnly = false

        func validate() throws {
            guard BackupHandler.days.contains(keysDays) else {
                throw ValidationError("--keys-days must be 1 to 31.")
            }
        }

        func run() async throws {
            var expiry: Date?
            var left: [String] = []
            do {
                try await BackupFolder.make(at: folder) { backup in
                    try await Connection.with(connection, as: .backup) { services in
                        if !contentOnly {
                            let copy = try await services.backups.retention.recordKeyCopy(
                                .init(keysDays: UInt32(keysDays)))
                            expiry = copy.expireTime?.date
                        }
                        do {
                            left = try await copy(services, to: &backup, until: expiry)
                        } catch {
                            await finish(services)
                            throw error
                        }
                        await finish(services)
                    }
                }
            } catch let failure as CommandFailure where expiry != nil {
                throw CommandFailure(
                    "\(failure) No backup was left. It stays on record that a copy of the keys is to exist until "
                        + "\(expiry?.formatted(.iso8601) ?? "").")
            }
            try say("content  \(folder)/content")
            if let expiry {
                try say("keys     \(folder)/keys")
                try say("         to be gone by \(expiry.formatted(.iso8601)): samtal backup prune \(folder)")
            }
            for name in left { try say("DAMAGED  \(name) can't be read, and is not in the backup") }
        }

        /// Chat first: what is erased meanwhile, retention's copy knows of. The keys last: none is changed meanwhile.
        private func copy(
            _ services: Connection, to backup: inout BackupFolder, until expiry: Date?
        ) async throws -> [String] {
            var left: [String] = []
            for (name, service) in services.backups.all {
                left += try await backup.receive(
                    service.copyContent(.init(), options: Self.unhurried), as: .content, under: name)
            }
            if let expiry {
                left += try await backup.receive(
                    services.backups.retention.copyKeys(.init(), options: Self.unhurried), as: .keys,
                    under: "retention")
                try backup.explainKeys(until: expiry)
            }
            try backup.conclude(keysUntil: expiry)
            return left
        }

        private func finish(_ services: Connection) async {
            // If it is not heard, it ends by itself after 20 minutes.
            if !contentOnly { _ = try? await services.backups.retention.finishKeyCopy(.init()) }
        }

        /// However much there is.
        private static let unhurried = CallOptions(timeout: .seconds(86_400))
    }
}

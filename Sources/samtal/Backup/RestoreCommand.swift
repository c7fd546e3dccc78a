import ArgumentParser
import Backup
import Foundation

/// `samtal restore`: puts a backup in the place of the services' folders.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a backup into the data folder, while the services are stopped.",
        discussion: """
            Checks every file against the backup's MANIFEST before anything is touched, refuses while a service runs, and \
            replaces what is there only with --replace. What is replaced is removed, its keys overwritten first.

            The ledger's anchor is in no backup and is not touched. When retention starts it finds out by it what was \
            erased since the backup, and erases that again before anybody is served (samtal ledger-anchor). What else was \
            done since is lost: agreements, policies and administrators are as they were then, so a shorter retention time has to \
            be set again, a removed administrator removed again (see --end-sign-ins), and a question that was deleted deleted again.

              samtal restore /backup/2026-11-28 --keys /vault/2026-11-28 --data /var/lib/samtal
            """)

    enum Service: String, ExpressibleByArgument, CaseIterable { case identity, chat, retention }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The folder of the backup: that of samtal backup.") var folder: String
    @Option(help: ArgumentHelp("The folder of its keys (default: DIR/keys).", valueName: "dir")) var keys: String?
    @Flag(help: "Restores without keys: no session of the backup can be read any more.") var withoutKeys = false
    @Flag(help: "Replaces the folders that are there.") var replace = false
    @Flag(
        help: """
            Ends every sign-in, so that none is there again that was ended since; then an organisation gets in by \
            samtal sign-in-link --instruction, after 24 hours.
            """)
    var endSignIns = false
    @Option(help: ArgumentHelp("Only this service's folder; may be repeated.", valueName: "service"))
    var only: [Service] = []

    func run() async throws {
        let services = only.isEmpty ? Service.allCases : Service.allCases.filter(only.contains)
        let content = try BackupSource(try half(.content, in: "\(folder)/content"), in: "\(folder)/content")
        let keys = try keySource(of: content, services)
        let sources = [content] + (keys.map { [$0] } ?? [])
        for service in services where !content.holds(service.rawValue) {
            throw CommandFailure("\(folder) holds no files of \(service.rawValue).")
        }
        for source in sources { try source.check() }
        let time = Date()
        let mark = RestoredMark(copyTime: content.manifest.createTime, restoreTime: time, endsSignIns: endSignIns)
        let places = try services.map { service in
            try RestorePlace(service.rawValue, in: connection.dataFolder, replaces: replace)
        }
        defer { for place in places { place.unlock() } }
        do {
            for place in places { try place.stage(sources, mark: mark) }
            for place in places { try place.swap() }
        } catch {
            for place in places { place.abandon() }
            throw error
        }
        for service in services { try say("restored  \(connection.dataFolder)/\(service.rawValue)") }
        try say("from      \(folder), taken \(content.manifest.createTime.formatted(.iso8601))")
        if keys == nil, services.contains(.retention) {
            try say("WITHOUT KEYS: no session of it can be read; start retention with --allow-missing-keys")
        }
        try say("start the services; samtal ledger-anchor then shows what was erased again")
    }

    private func half(_ half: BackupManifest.Half, in folder: String) throws -> BackupManifest {
        guard let manifest = try Backups.manifest(of: folder), manifest.half == half else {
            throw CommandFailure("\(folder) is not the \(half.rawValue) of a backup.")
        }
        return manifest
    }

    private func keySource(of content: BackupSource, _ services: [Service]) throws -> BackupSource? {
        guard services.contains(.retention), !withoutKeys else { return nil }
        let path = keys ?? "\(folder)/keys"
        guard access(path, F_OK) == 0 else {
            throw CommandFailure(
                "There are no keys in \(path). Name their folder with --keys, or add --without-keys: then no session "
                    + "of the backup can be read.")
        }
        let manifest = try half(.keys, in: path)
        guard manifest.backup == content.manifest.backup else {
            throw CommandFailure("\(path) holds the keys of another backup.")
        }
        if let expiry = manifest.expireTime, expiry <= Date() {
            throw CommandFailure(
                "The keys in \(path) were to be gone by \(expiry.formatted(.iso8601)), as certificates say: remove them "
                    + "with samtal backup prune, and restore with --without-keys.")
        }
        return try BackupSource(manifest, in: path)
    }
}

import ArgumentParser
import Foundation
import RetentionServer

/// What is retention's own on the command line.
struct RetentionOptions: ParsableArguments {
    @Flag(
        help: """
            Starts though the data folder is on a medium that keeps copies of what is overwritten (btrfs, zfs, overlayfs, \
            ext4 with data=journal, snapshots), where destroyed keys may live on. Each certificate says so.
            """)
    var allowUnsafeKeyMedium = false

    @Flag(
        help: """
            Starts though no key of any session on record is held. What they held stays unreadable, and their erasure is not \
            certified until their keys are there again and are destroyed.
            """)
    var allowMissingKeys = false

    @Option(
        help: ArgumentHelp(
            "The key that session keys are wrapped under is changed after so many hours, 1 to 720.", valueName: "hours")
    )
    var wrappingKeyHours = 24

    @Option(
        help: ArgumentHelp(
            """
            A systemd credential of 32 random bytes that the wrapping keys are sealed under, by its name in \
            $CREDENTIALS_DIRECTORY (LoadCredentialEncrypted=), or the path of such a file.
            """, valueName: "name"))
    var wrappingCredential: String?

    @Option(
        help: ArgumentHelp(
            """
            Where a second copy of each certificate is kept, by which an older data folder is found out: a folder on \
            another disk, of which no backup is restored together with the data (default: DIR/ledger-anchor, with a warning).
            """, valueName: "dir"))
    var ledgerAnchor: String?

    func validate() throws {
        guard (1...720).contains(wrappingKeyHours) else {
            throw ValidationError("--wrapping-key-hours must be 1 to 720")
        }
        _ = try credentialPath()
    }

    func keySettings() throws -> KeySettings {
        KeySettings(
            allowsUnsafeMedium: allowUnsafeKeyMedium, allowsMissingKeys: allowMissingKeys,
            wrappingKeyLife: TimeInterval(wrappingKeyHours) * 3600, credentialPath: try credentialPath())
    }

    var anchorSettings: AnchorSettings { AnchorSettings(folder: ledgerAnchor) }

    private func credentialPath() throws -> String? {
        guard let name = wrappingCredential else { return nil }
        if name.contains("/") { return name }
        guard let folder = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] else {
            throw ValidationError(
                "--wrapping-credential \(name): there is no CREDENTIALS_DIRECTORY; give a path, or start by systemd")
        }
        return folder + "/" + name
    }
}

import ArgumentParser
import Contracts
import Foundation
import RPC

/// `samtal ledger-anchor`: the second copy of the ledger, by which an older data folder is found out.
struct LedgerAnchorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger-anchor",
        abstract: "Shows the ledger's head and its anchor, and has the ledger go on without the anchor it had.",
        discussion: """
            The anchor is a second copy of every certificate, on a path of its own (samtal-retention --ledger-anchor). A \
            data folder that is older than it is completed by it when the service starts: sessions that had been erased \
            are erased again before anybody is served, and no number is signed twice.

            Where the anchor is missing, damaged, or another than the ledger's, sessions are erased all the same, but no \
            certificate is signed. Then bring the anchor back and start the service again; if it is lost, accept.

            Exits with 1 while no certificate can be signed.
            """,
        subcommands: [Show.self, Accept.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the ledger's head and its anchor.")

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let state = try await Connection.with(connection) { services in
                try await services.retention.getLedgerState(.init())
            }
            try say(state.inWords)
            if state.anchor != .usable { throw ExitCode(1) }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has the ledger go on without the anchor it had, with a new one.",
            discussion: """
                Only where the anchor can't be brought back. Give the highest number on any certificate that anybody was \
                given: ask the organisations, and look at your own copies. The next certificate gets the number after it, \
                and says which numbers are missing in this ledger. Too low a number may lead to two certificates of one \
                number. Sessions that had been erased since the data folder's copy was made are not known any more: erase \
                them again by hand.

                What lay in the anchor's place is set aside beside it. The service's log says that this was done.
                """)

        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("The highest number that was given out; 0: none was.", valueName: "number"))
        var lastCertificate: UInt64

        func run() async throws {
            let state = try await Connection.with(connection) { services in
                try await services.retention.acceptLedgerAnchor(.init(lastSequence: lastCertificate))
            }
            try say(state.inWords)
        }
    }
}

extension RetentionV1.LedgerState {
    fileprivate var inWords: String {
        let anchor =
            switch anchor {
            case .usable: "as it was, up to certificate \(anchorSequence)"
            case .missing: "MISSING: no certificate is signed; bring it back and start retention again"
            case .damaged: "DAMAGED: no certificate is signed; bring it back whole and start retention again"
            case .forked: "ANOTHER than the ledger's: no certificate is signed; find the folder that belongs to it"
            case .unspecified, .unrecognised: "not known"
            }
        var lines = [
            sequence == 0 ? "ledger    no certificate yet" : "ledger    certificate \(sequence)  \(hash)",
            "anchor    \(anchor)",
        ]
        if anchorBesideData { lines.append("          beside the data: see samtal-retention --ledger-anchor") }
        if let time = restoreTime {
            lines.append(
                """
                restored  found \(time.date.formatted(.iso8601)): \(restoredCertificates) certificates put back, \
                \(restoredErasures) erasures begun again, \(restoredKeys) keys overwritten again
                """)
        }
        return lines.joined(separator: "\n")
    }
}

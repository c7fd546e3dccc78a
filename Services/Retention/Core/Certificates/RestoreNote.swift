package import Foundation

/// That a ledger was found to be older than its anchor, and what was done about it before anything was served. The next
/// certificate says so.
package struct RestoreNote: Sendable, Equatable {
    /// When it was found out.
    package var time: Date
    /// Certificates that the ledger lacked, and that were put back from the anchor.
    package var certificates: Int64
    /// Erasures that had begun, and were begun again.
    package var erasures: Int64
    /// Keys of erased sessions that were there again, and were overwritten again.
    package var keys: Int64

    package init(time: Date, certificates: Int64 = 0, erasures: Int64 = 0, keys: Int64 = 0) {
        self.time = time
        self.certificates = certificates
        self.erasures = erasures
        self.keys = keys
    }

    /// As a statement has it.
    var members: CanonicalJSON {
        .object([
            "certificates": .integer(certificates), "erasures": .integer(erasures), "keys": .integer(keys),
            "time": .string(LedgerTime.text(time)),
        ])
    }

    /// The members as JSON has them.
    struct Members: Decodable {
        var certificates: Int64
        var erasures: Int64
        var keys: Int64
        var time: String

        /// Nil for what no ledger writes.
        var note: RestoreNote? {
            guard let time = LedgerTime.date(text: time),
                [certificates, erasures, keys].allSatisfy((0...CanonicalJSON.largestInteger).contains)
            else { return nil }
            return RestoreNote(time: time, certificates: certificates, erasures: erasures, keys: keys)
        }
    }
}

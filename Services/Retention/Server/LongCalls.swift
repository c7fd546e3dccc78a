package import RetentionCore
package import ServiceKit

/// How many long calls retention answers at a time, and for how long. Short calls need no place.
package struct LongCallLimits: Sendable {
    /// Exports that are being read.
    package var exports = Bound("exports", most: 32)
    package var exportsOfOrganisation = Bound("exports-of-organisation", most: 4, whenCrowded: 1)
    /// Erasures that somebody has asked for and waits for. Those that time brings are the scheduler's.
    package var erasures = Bound("erasures", most: 128)
    package var erasuresOfOrganisation = Bound("erasures-of-organisation", most: 16, whenCrowded: 2)
    package var exportPace = ExportPace.Limits()
    /// The names of `exportPace`'s bounds on a reader.
    static let exportPause = "export-pause"
    static let exportTime = "export-time"

    /// What `RetentionLimits.sessionsPerOrganisation` is called.
    static let sessions = "sessions-of-organisation"

    package init() {}

    /// The names of all of them.
    var names: [String] {
        [exports, exportsOfOrganisation, erasures, erasuresOfOrganisation].map(\.name)
            + [Self.exportPause, Self.exportTime, Self.sessions]
    }
}

/// The places that long calls take.
package struct LongCalls: Sendable {
    private let limits: LongCallLimits
    private let exports: Places
    private let erasures: Places

    init(limits: LongCallLimits, refusals: Refusals) {
        self.limits = limits
        exports = Places(all: limits.exports, refusals: refusals)
        erasures = Places(all: limits.erasures, refusals: refusals)
    }

    /// - Throws: `RetentionError.tooManyExports`.
    func export(for organisationID: String) throws(RetentionError) -> Places.Place {
        do throws(BoundReached) {
            return try exports.take([.init(limits.exportsOfOrganisation, of: organisationID)])
        } catch {
            throw .tooManyExports(bound: error.bound)
        }
    }

    /// - Throws: `RetentionError.tooManyErasures`.
    func erasure(for organisationID: String) throws(RetentionError) -> Places.Place {
        do throws(BoundReached) {
            return try erasures.take([.init(limits.erasuresOfOrganisation, of: organisationID)])
        } catch {
            throw .tooManyErasures(bound: error.bound)
        }
    }
}

internal import ChatCore
internal import Crypto
internal import Foundation
package import Logging
package import ServiceKit
internal import Storage
internal import Synchronization

/// What the operator is told of the store: in the log, and as numbers. A session is named by the digest that its erasure
/// record would have, since a session's id lets its bearer in.
package final class StoreReports: Sendable {
    private struct State: Sendable {
        var damaged: Set<String> = []
        var missing: Set<String> = []
    }

    private let state = Mutex(State())
    private let refusals: Refusals
    private let logger: Logger

    package init(metrics: MetricsRegistry? = nil, logger: Logger) {
        self.logger = logger
        refusals = Refusals(Backlog.bounds, in: metrics, logger: logger)
        metrics?.describe("sessions_damaged", "Sessions whose file can't be read, since the start.")
        metrics?.observe("sessions_damaged", .gauge) { [weak self] in
            Double(self?.state.withLock { $0.damaged.count } ?? 0)
        }
        metrics?.describe("sessions_missing", "Sessions that are listed and whose file is not there.")
        metrics?.observe("sessions_missing", .gauge) { [weak self] in
            Double(self?.state.withLock { $0.missing.count } ?? 0)
        }
    }

    func restored() {
        logger.notice("the store was restored: followers get their sessions again from the beginning")
    }

    func refused(_ bound: String) { refusals.count(bound) }

    func damaged(_ file: SessionFile, _ error: StorageError) {
        guard state.withLock({ $0.damaged.insert(file.id).inserted }) else { return }
        var metadata = metadata(file.id, file.organisation)
        metadata[LogKey.reason] = .string("\(error.code)")
        logger.error("a session's file can't be read and is set aside", metadata: metadata)
    }

    func missing(_ id: String, of organisation: String) {
        guard state.withLock({ $0.missing.insert(id).inserted }) else { return }
        logger.error("a session's file is missing", metadata: metadata(id, organisation))
    }

    /// A file that no row of the index belonged to.
    func adopted(_ id: String, of organisation: String) {
        logger.warning("a session's file was not in the index, and is again", metadata: metadata(id, organisation))
    }

    func unreadable(_ id: String, _ error: any Error) {
        guard state.withLock({ $0.damaged.insert(id).inserted }) else { return }
        logger.error("a file that is not in the index can't be read", metadata: metadata(id, ""))
    }

    func postponed(_ what: String, _ error: any Error) {
        logger.warning(
            "a step could not be completed and will be tried again",
            metadata: [
                LogKey.component: .string(what), LogKey.errorType: .string("\(type(of: error))"),
                LogKey.reason: .string((error as? StorageError).map { "\($0.code)" } ?? ""),
            ])
    }

    /// The session is erased, or was never there.
    func forget(_ id: String) {
        state.withLock { state in
            state.damaged.remove(id)
            state.missing.remove(id)
        }
    }

    private func metadata(_ id: String, _ organisation: String) -> Logger.Metadata {
        let digest = SHA256.hash(data: Data(id.utf8)).prefix(6).map { String(format: "%02x", $0) }.joined()
        return [LogKey.session: .string(digest), LogKey.organisation: .string(organisation)]
    }
}

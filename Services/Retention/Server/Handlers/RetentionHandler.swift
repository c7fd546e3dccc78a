import Contracts
import Foundation
package import Privacy
import RPC
package import RetentionCore
import ServiceKit

/// The RPCs of retention: each decodes, checks, calls and encodes. Who may call at all is the access table's business;
/// whose data it is, is checked here.
package struct RetentionHandler: RetentionV1.RetentionServiceHandler {
    let store: RetentionStore
    let identity: IdentityNeighbour
    let custodian: SessionCustodian
    let eraser: Eraser
    let exporter: SessionExporter
    let longCalls: LongCalls
    let ledgerKey: LedgerPublicKey
    let anchoring: LedgerAnchoring
    let clock: any WallClock
    /// Wakes the erasing of what is due.
    let signal: WakeSignal
    /// Wakes the telling of chat.
    let announcing: WakeSignal

    package init(
        store: RetentionStore, identity: IdentityNeighbour, custodian: SessionCustodian, eraser: Eraser,
        exporter: SessionExporter,
        longCalls: LongCalls, ledgerKey: LedgerPublicKey, anchoring: LedgerAnchoring, clock: any WallClock,
        signal: WakeSignal, announcing: WakeSignal
    ) {
        self.store = store
        self.identity = identity
        self.custodian = custodian
        self.eraser = eraser
        self.exporter = exporter
        self.longCalls = longCalls
        self.ledgerKey = ledgerKey
        self.anchoring = anchoring
        self.clock = clock
        self.signal = signal
        self.announcing = announcing
    }

    /// The session, if the caller may know of it. A session of another organisation does not exist for them.
    func session(_ id: String, for call: ServerCall) async throws -> RetainedSession {
        try FieldCheck.identifier(id, field: "session_id")
        let session = try await store.session(id)
        // Without a session too: a caller without any organisation is refused alike.
        do throws(RPCError) {
            try call.requireOrganisation(session?.organisationID ?? "")
        } catch {
            throw error.code == .notFound ? RPCError(.sessionNotFound) : error
        }
        guard let session else { throw RetentionError.sessionNotFound }
        return session
    }
}

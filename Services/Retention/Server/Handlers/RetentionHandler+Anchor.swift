package import Contracts
package import RPC
import RetentionCore
import ServiceKit

extension RetentionHandler {
    package func getLedgerState(
        _ request: RetentionV1.GetLedgerStateRequest, call: ServerCall
    ) async throws -> RetentionV1.LedgerState {
        try await RPCError.mapping { try await ledgerState() }
    }

    package func acceptLedgerAnchor(
        _ request: RetentionV1.AcceptLedgerAnchorRequest, call: ServerCall
    ) async throws -> RetentionV1.LedgerState {
        try await RPCError.mapping {
            guard let number = Int64(exactly: request.lastSequence), number <= ErasureStatement.largestSequence else {
                throw RetentionError.invalidField("last_sequence", "is larger than a certificate's number can be")
            }
            try await anchoring.accept(after: number)
            // What waits for its certificate gets it now.
            signal.signal()
            return try await ledgerState()
        }
    }

    private func ledgerState() async throws -> RetentionV1.LedgerState {
        let head = try await store.ledgerHead()
        let anchor = anchoring.anchor.status
        var state = RetentionV1.LedgerState()
        state.sequence = UInt64(head.sequence)
        state.hash = head.sequence > 0 ? head.hash : ""
        state.anchor =
            switch anchor.condition {
            case .usable: .usable
            case .missing: .missing
            case .damaged: .damaged
            case .forked: .forked
            }
        state.anchorSequence = UInt64(anchor.sequence)
        state.anchorBesideData = anchoring.anchor.isBesideData
        if let restore = try await store.latestRestore() {
            state.restoreTime = .init(restore.time)
            state.restoredCertificates = UInt64(restore.certificates)
            state.restoredErasures = UInt64(restore.erasures)
            state.restoredKeys = UInt64(restore.keys)
        }
        return state
    }
}

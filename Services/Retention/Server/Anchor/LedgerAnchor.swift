import Foundation
package import RetentionCore
import Storage
import Synchronization

/// The ledger's anchor: a copy of every certificate on a second path, written before the certificate is stored, let alone
/// given out. By it an older ledger is found out and completed, and no number is signed twice.
package final class LedgerAnchor: Sendable {
    static let fileName = "anchor"

    /// The folder that it is in.
    package let folder: String
    /// Whether that is beside the data, where one restore may take both back.
    package let isBesideData: Bool
    private let state: Mutex<State>

    private struct State {
        var file: AnchorFile?
        var condition: AnchorCondition
        /// The latest certificate in the file.
        var head: LedgerHead
        /// The next certificate's number is above this.
        var floor: Int64
        /// Certificates that are in the file, and may not be in the ledger.
        var unstored: [(head: LedgerHead, certificate: Certificate)] = []
    }

    /// As it is shown to the operator.
    package struct Status: Sendable, Equatable {
        package var condition: AnchorCondition
        /// 0: it holds none, or can't be read.
        package var sequence: Int64
    }

    /// - Parameter file: nil: there is none that can be used.
    init(
        folder: String, isBesideData: Bool, file: AnchorFile?, condition: AnchorCondition,
        head: LedgerHead = .empty, floor: Int64 = 0
    ) {
        self.folder = folder
        self.isBesideData = isBesideData
        state = Mutex(State(file: file, condition: condition, head: head, floor: floor))
    }

    deinit { close() }

    package var status: Status {
        state.withLock { Status(condition: $0.condition, sequence: max($0.head.sequence, $0.floor)) }
    }

    package func close() {
        state.withLock { state in
            state.file?.close()
            state.file = nil
        }
    }

    // MARK: Signing

    /// The number of the next certificate after the head of the ledger.
    /// - Throws: `RetentionError.ledgerAnchorUnusable`.
    func nextNumber(after head: LedgerHead) throws -> Int64 {
        try state.withLock { state in
            guard state.condition == .usable, state.file != nil else {
                throw RetentionError.ledgerAnchorUnusable(state.condition)
            }
            // Whatever is signed is in the ledger before anything else is.
            guard state.head.sequence <= head.sequence else { throw RetentionError.ledgerAnchorUnusable(.forked) }
            return max(head.sequence, state.floor) + 1
        }
    }

    /// Certificates that were signed after the head of the ledger, and not stored then: they come before any other.
    func unstored(after head: LedgerHead) -> [Certificate] {
        state.withLock { state in
            state.unstored.filter { $0.head.sequence > head.sequence }.map(\.certificate)
        }
    }

    /// Durable when it returns.
    func append(_ certificate: Certificate, number: Int64) throws {
        try state.withLock { state in
            guard state.condition == .usable else { throw RetentionError.ledgerAnchorUnusable(state.condition) }
            let head = LedgerHead(sequence: number, hash: certificate.hash)
            try state.file?.append([.certificate(head, AnchoredCertificate(certificate))])
            state.head = head
            state.unstored.append((head, certificate))
        }
    }

    /// Every certificate up to this number is in the ledger for good.
    func noteStored(through number: Int64) {
        state.withLock { state in state.unstored.removeAll { $0.head.sequence <= number } }
    }

    /// That the keys of these sessions are about to be destroyed. Destroying them waits for nothing, a full disk included:
    /// what can't be written here is in the certificate.
    func note(erasing sessions: [RetainedSession]) {
        let records = sessions.compactMap { session -> AnchorRecord? in
            guard case .requested(let trigger) = session.erasure else { return nil }
            return .erasing(
                sessionDigest: AnchorRecord.digest(ofSession: session.id),
                ErasureReason(trigger: trigger, requester: session.requester))
        }
        guard !records.isEmpty else { return }
        state.withLock { state in
            if state.condition == .usable { try? state.file?.append(records) }
        }
    }

    /// That a copy of the keys is to exist. Durable when it returns.
    func note(_ copy: KeyCopy) throws {
        try state.withLock { state in
            guard state.condition == .usable else { throw RetentionError.ledgerAnchorUnusable(state.condition) }
            try state.file?.append([.keyCopy(copy)])
        }
    }

    // MARK: Opening and replacing

    /// Adds certificates that the ledger has and the file has not.
    func catchUp(_ certificates: [(head: LedgerHead, certificate: Certificate)]) throws {
        try state.withLock { state in
            try state.file?.append(
                certificates.map { .certificate($0.head, AnchoredCertificate($0.certificate)) })
            state.head = certificates.last?.head ?? state.head
        }
    }

    /// The certificates in the file from an offset on, and the offset after them; none at the end.
    func certificates(from offset: Int, limit: Int) throws -> (found: [(LedgerHead, AnchoredCertificate)], end: Int) {
        try state.withLock { state in
            var found: [(LedgerHead, AnchoredCertificate)] = []
            var end = offset
            try state.file?.read(from: offset) { record, next in
                end = next
                if case .certificate(let head, let certificate) = record { found.append((head, certificate)) }
                return found.count < limit
            }
            return (found, end)
        }
    }

    func set(_ condition: AnchorCondition) { state.withLock { $0.condition = condition } }

    /// Ends a new file with the record of why it is there.
    func conclude(_ record: AnchorRecord) throws {
        try state.withLock { state in
            try state.file?.append([record])
            if case .accepted(let after, _) = record { state.floor = after }
        }
    }

    /// Goes on with another's file.
    func take(over other: LedgerAnchor) {
        let taken = other.state.withLock { taken in
            defer { taken.file = nil }
            return taken
        }
        state.withLock { state in
            state.file?.close()
            state = taken
        }
    }
}

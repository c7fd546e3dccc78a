import Foundation
import Logging
import Privacy
import RPC
import RetentionCore
import ServiceKit

/// Opens the ledger's anchor, holds the ledger against it, and completes an older ledger by it, before anybody is served.
package struct LedgerAnchoring: Sendable {
    private static let page = 200
    /// Serialises acceptances. No session is called this.
    private static let accepting = " ledger anchor"

    let store: RetentionStore
    let key: LedgerPublicKey
    let anchor: LedgerAnchor
    let clock: any WallClock
    let locks: SessionLocks
    let health: HealthService?
    let logger: Logger

    /// What health is asked by: not serving while no certificate can be signed.
    package static let healthName = "samtal.ledger"

    /// Opens the anchor, and puts into the ledger what that lacks.
    ///
    /// - Parameter wasRestored: whether the folder is known to be an older one.
    /// - Throws: `StartUpError` if the anchor is another ledger's, or can't be reached. One that is missing, damaged or
    ///   forked keeps certificates from being signed, and nothing else.
    static func open(
        _ settings: AnchorSettings, ownFolder: String, store: RetentionStore, key: LedgerPublicKey,
        wasRestored: Bool = false, clock: any WallClock, locks: SessionLocks, metrics: MetricsRegistry? = nil,
        health: HealthService? = nil, logger: Logger
    ) async throws -> LedgerAnchoring {
        let folder = settings.folder ?? AnchorSettings.besideData(ownFolder)
        let ledger = try await store.ledgerHead()
        func anchoring(_ file: AnchorFile?, _ condition: AnchorCondition, _ reading: AnchorReading?) -> LedgerAnchoring
        {
            let anchor = LedgerAnchor(
                folder: folder, isBesideData: settings.folder == nil, file: file, condition: condition,
                head: reading?.head ?? .empty, floor: reading?.floor ?? 0)
            return LedgerAnchoring(
                store: store, key: key, anchor: anchor, clock: clock, locks: locks, health: health, logger: logger)
        }
        do {
            guard var file = try AnchorFile.open(folder + "/" + LedgerAnchor.fileName) else {
                let isNew = ledger == .empty && !wasRestored
                let file = isNew ? try create(in: folder, key: key, as: LedgerAnchor.fileName) : nil
                let found = anchoring(file, isNew ? .usable : .missing, nil)
                found.report(to: metrics)
                return found
            }
            let reading = try await AnchorReading(of: &file, ledger: ledger) { try await store.certificate($0)?.hash }
            guard reading.keyID == nil || reading.keyID == key.keyID else {
                file.close()
                throw StartUpError(
                    "the anchor in \(folder) is another ledger's", remedy: "name this ledger's with --ledger-anchor")
            }
            let found = anchoring(file, reading.condition, reading)
            if reading.condition == .usable {
                try await store.add(reading.keyCopies)
                try await found.complete(ledger, by: reading)
            }
            found.report(to: metrics)
            return found
        } catch let problem as AnchorFile.Problem {
            throw startUpError(problem, folder)
        }
    }

    private static func create(in folder: String, key: LedgerPublicKey, as name: String) throws -> AnchorFile {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            var file = try AnchorFile.create("\(folder)/\(name)")
            try file.append([.header(keyID: key.keyID)])
            try AnchorFile.synchroniseFolder(folder)
            return file
        } catch {
            throw StartUpError(
                "the ledger's anchor can't be made in \(folder)",
                remedy: "name a folder that this user may write in with --ledger-anchor")
        }
    }

    private static func startUpError(_ problem: AnchorFile.Problem, _ folder: String) -> StartUpError {
        switch problem {
        case .locked:
            StartUpError("the ledger's anchor in \(folder) is open in another process", remedy: "end that one first")
        case .damaged, .inputOutput:
            StartUpError(
                "the ledger's anchor in \(folder) can't be read",
                remedy: "see to its disk, and that this user may read it")
        }
    }

    private func report(to metrics: MetricsRegistry?) {
        let status = anchor.status
        health?.set(status.condition == .usable, service: Self.healthName)
        metrics?.describe("ledger_anchor_usable", "0 while no certificate is signed, for want of the ledger's anchor.")
        metrics?.observe("ledger_anchor_usable", .gauge) { [anchor] in anchor.status.condition == .usable ? 1 : 0 }
        if anchor.isBesideData {
            logger.warning(
                "the ledger's anchor lies beside the data: restoring both together is not found out; see --ledger-anchor"
            )
        }
        guard status.condition != .usable else { return }
        logger.error(
            "no certificate is signed: the ledger's anchor is not as it was; see samtal ledger-anchor",
            metadata: [LogKey.reason: .string(status.condition.rawValue)])
    }

    // MARK: Completing

    /// Makes the two say the same.
    private func complete(_ ledger: LedgerHead, by reading: AnchorReading) async throws {
        guard reading.head.sequence >= ledger.sequence else { return try await catchUp(from: reading.head) }
        var note = RestoreNote(time: LedgerTime.rounded(clock.now()))
        do {
            note.certificates = try await replay(from: reading.end, after: ledger)
        } catch is UnreadableAnchor {
            anchor.set(.damaged)
            return
        }
        note.erasures = try await beginAgain(reading.erasing)
        guard note.certificates + note.erasures > 0 else { return }
        try await store.add(note)
        logger.warning(
            "the ledger was older than its anchor: what it lacked was put back, and erasures were begun again",
            metadata: [LogKey.count: .stringConvertible(note.certificates + note.erasures)])
    }

    private struct UnreadableAnchor: Error {}

    /// - Returns: of how many certificates the ledger did not know that they were about to be written.
    private func replay(from offset: Int, after ledger: LedgerHead) async throws -> Int64 {
        var (offset, head, unknown) = (offset, ledger, Int64(0))
        while true {
            let (found, end) = try anchor.certificates(from: offset, limit: Self.page)
            var batch: [(Certificate, ErasureStatement)] = []
            for (claimed, anchored) in found {
                guard let certificate = anchored.certificate, CertificateVerifier.verify(certificate, key: key) == nil,
                    let statement = try? ErasureStatement(reading: certificate.statement),
                    statement.follows(head), statement.sequence == claimed.sequence, certificate.hash == claimed.hash
                else { throw UnreadableAnchor() }
                head = claimed
                batch.append((certificate, statement))
            }
            if !batch.isEmpty { unknown += try await store.adopt(batch) }
            guard found.count == Self.page else { return unknown }
            offset = end
        }
    }

    /// Begins the erasure again of sessions whose keys had been about to be destroyed.
    private func beginAgain(_ erasing: [String: ErasureReason]) async throws -> Int64 {
        guard !erasing.isEmpty else { return 0 }
        var (last, count) = ("", Int64(0))
        while true {
            let sessions = try await store.liveSessions(after: last, limit: Self.page)
            for id in sessions {
                guard let reason = erasing[AnchorRecord.digest(ofSession: id)] else { continue }
                _ = try await store.change(id) { $0.requestErasure(for: reason) }
                count += 1
            }
            guard sessions.count == Self.page, let id = sessions.last else { return count }
            last = id
        }
    }

    /// The anchor's disk may have been away, or taken back by itself.
    private func catchUp(from head: LedgerHead) async throws {
        var (head, count) = (head, 0)
        while true {
            let certificates = try await store.certificates(
                organisationID: nil, after: head.sequence, limit: Self.page)
            let heads = try certificates.map { certificate in
                (
                    head: LedgerHead(
                        sequence: try ErasureStatement(reading: certificate.statement).sequence, hash: certificate.hash),
                    certificate: certificate
                )
            }
            if !heads.isEmpty { try anchor.catchUp(heads) }
            count += heads.count
            guard heads.count == Self.page, let last = heads.last?.head else { break }
            head = last
        }
        if count > 0 {
            logger.warning(
                "the ledger's anchor lacked certificates, which were added",
                metadata: [LogKey.count: .stringConvertible(count)])
        }
    }

    // MARK: Accepting

    /// Goes on without the anchor that there was: with a new one, which begins with the ledger as it is.
    ///
    /// - Parameter number: the highest number of a certificate that was given out; the next one is above it.
    /// - Throws: `RetentionError`: `ledgerAnchorUsable`, `ledgerNumberTaken`.
    func accept(after number: Int64) async throws {
        try await locks.withLock(Self.accepting) {
            let status = anchor.status
            guard status.condition != .usable else { throw RetentionError.ledgerAnchorUsable }
            let ledger = try await store.ledgerHead()
            let least = max(ledger.sequence, status.sequence)
            guard number >= least else { throw RetentionError.ledgerNumberTaken(least) }
            let path = anchor.folder + "/" + LedgerAnchor.fileName
            let new = try Self.create(in: anchor.folder, key: key, as: LedgerAnchor.fileName + ".new")
            let next = LedgerAnchor(
                folder: anchor.folder, isBesideData: anchor.isBesideData, file: new, condition: .usable)
            let replacement = LedgerAnchoring(
                store: store, key: key, anchor: next, clock: clock, locks: locks, health: nil, logger: logger)
            try await replacement.catchUp(from: .empty)
            for copy in try await store.keyCopies() { try next.note(copy) }
            try next.conclude(.accepted(after: number, time: LedgerTime.rounded(clock.now())))
            // What was there is evidence, and is left to the operator.
            if access(path, F_OK) == 0 {
                rename(path, "\(path).set-aside-\(LedgerTime.milliseconds(clock.now()))")
            }
            guard rename(path + ".new", path) == 0 else { throw AnchorFile.Problem.inputOutput(errno) }
            try AnchorFile.synchroniseFolder(anchor.folder)
            anchor.take(over: next)
            health?.set(true, service: Self.healthName)
            logger.warning(
                "the operator had the ledger go on with a new anchor, after this number",
                metadata: [
                    LogKey.sequence: .stringConvertible(number), LogKey.reason: .string(status.condition.rawValue),
                ])
        }
    }
}

import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import Testing

extension TestFolder {
    var anchor: String { path + "/ledger-anchor/anchor" }

    /// Copies retention's folder, without the anchor; nobody may have it open.
    func keepCopy(as name: String = "copy") throws {
        try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
        try FileManager.default.copyItem(atPath: path + "/retention", toPath: "\(path)/\(name)")
    }

    /// Puts a copy in the place of retention's folder.
    func putBack(_ name: String = "copy") throws {
        try FileManager.default.removeItem(atPath: path + "/retention")
        try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: path + "/retention")
    }
}

extension RunningRetention {
    func chain() async throws -> [Certificate] {
        try await certificates(size: 200).certificates.map { Certificate($0) }
    }

    /// What is wrong with the whole ledger; nil: nothing.
    func problem() async throws -> CertificateProblem? {
        guard let key = try await ledgerKey() else { throw RPCError(.internal, "no key") }
        return CertificateVerifier.verify(chain: try await chain(), key: key)
    }

    /// Expects a whole ledger of so many certificates.
    func expectSound(_ count: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let (found, problem) = (try await chain().count, try await problem())
        #expect(problem == nil, sourceLocation: sourceLocation)
        if let count { #expect(found == count, sourceLocation: sourceLocation) }
    }

    func ledger() async throws -> RetentionV1.LedgerState {
        try await client.getLedgerState(.init(), options: Self.asOperator)
    }

    @discardableResult
    func acceptAnchor(after number: UInt64) async throws -> RetentionV1.LedgerState {
        try await client.acceptLedgerAnchor(.init(lastSequence: number), options: Self.asOperator)
    }

    /// A session that has ended, with two questions in chat.
    func addEnded(_ id: String, in chat: ChatPeer) async throws {
        try await open(id)
        chat.add(id, state: .ended, questions: Questions.some)
        try await end(id, questions: UInt64(Questions.some.count))
    }
}

extension RetentionV1.Certificate {
    var read: ErasureStatement { get throws { try ErasureStatement(reading: statement) } }
}

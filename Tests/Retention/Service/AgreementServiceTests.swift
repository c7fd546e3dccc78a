import Contracts
import Foundation
import RPC
import RetentionCore
import Synchronization
import Testing

@Suite("Agreements and policies over the socket")
struct AgreementServiceTests {
    @Test("without an agreement there is nothing to read and nothing to start")
    func noAgreement() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await expectRefusal(reason: "AGREEMENT_NOT_FOUND") { try await retention.policy() }
                let set = try await status { try await retention.setPolicy(3) }
                #expect(set?.code == .failedPrecondition)
                #expect(set?.reason == "AGREEMENT_REQUIRED")
                let open = try await status { try await retention.open("session-1") }
                #expect(open?.code == .failedPrecondition)
                #expect(open?.reason == "AGREEMENT_REQUIRED")
            }
        }
    }

    @Test("agreements are counted, and the latest is the one that is read")
    func versions() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                #expect(try await retention.record(cap: 30).version == 1)
                #expect(try await retention.policy().retentionDays == 30)
                #expect(try await retention.record(cap: 10).version == 2)
                let policy = try await retention.policy()
                #expect(policy.retentionDays == 10)
                #expect(policy.version == 2)
                #expect(try await retention.record(cap: 31).version == 3)
                #expect(try await retention.policy() == policy)
                var request = RetentionV1.GetAgreementRequest()
                request.organisationID = "org-north"
                let agreement = try await retention.client.getAgreement(
                    request, options: RunningRetention.asAdministrator())
                #expect(agreement.version == 3)
                #expect(agreement.capDays == 31)
                #expect(agreement.kind == .standard)
                #expect(agreement.signedDate == "2026-01-15")
                #expect(agreement.reference == "DPA 2026-1")
            }
        }
    }

    @Test("a policy above the cap is refused, naming the field and the cap")
    func aboveCap() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 14)
                for days: UInt32 in [15, 31, .max] {
                    let refusal = try #require(try await status { try await retention.setPolicy(days) })
                    #expect(refusal.code == .invalidArgument)
                    #expect(refusal.fields.map(\.field) == ["retention_days"])
                    #expect(refusal.message.contains("14"))
                }
                #expect(try await retention.setPolicy(0, confirmsZeroDays: true).version == 2)
                #expect(try await retention.setPolicy(0, confirmsZeroDays: true).version == 2)
                #expect(try await retention.setPolicy(14).version == 3)
            }
        }
    }

    @Test("another organisation's agreement and policy do not exist for an administrator")
    func otherOrganisation() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(organisation: "org-north")
                let south = RunningRetention.asAdministrator(of: "org-south")
                try await expectRefusal(.notFound) { try await retention.policy(options: south) }
                try await expectRefusal(.notFound) { try await retention.setPolicy(1, options: south) }
                #expect(try await retention.policy().retentionDays == 30)
                #expect(try await retention.policy(options: RunningRetention.asOperator).retentionDays == 30)
            }
        }
    }

    @Test("nobody but the operator records an agreement")
    func onlyOperator() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                var request = RetentionV1.RecordAgreementRequest()
                request.organisationID = "org-north"
                for options in [RunningRetention.asAdministrator(), RunningRetention.asChat, RunningRetention.asAnyone]
                {
                    let refusal = try await status {
                        try await retention.client.recordAgreement(request, options: options)
                    }
                    #expect(refusal?.code == .permissionDenied)
                }
            }
        }
    }

    @Test("an agreement for an organisation that there is not is refused, and nothing is recorded")
    func unknownOrganisation() async throws {
        try await withFolder { folder in
            let identity = IdentityPeer()
            identity.missing.withLock { _ = $0.insert("org-north") }
            try await withRetention(in: folder, identity: identity) { retention in
                try await expectRefusal(.notFound, reason: "ORGANISATION_NOT_FOUND") { try await retention.record() }
                try await expectRefusal(.notFound, reason: "AGREEMENT_NOT_FOUND") { try await retention.policy() }
                try await retention.record(organisation: "org-south")
                identity.missing.withLock { $0 = [] }
                #expect(try await retention.record().version == 1)
            }
        }
    }

    @Test("while identity is down no agreement is recorded, and identity is named; what is there can be read")
    func identityDown() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in _ = try await retention.record() }
            try await withRetention(in: folder, identity: nil) { retention in
                let refusal = try #require(try await status { try await retention.record(cap: 7) })
                #expect(refusal.code == .unavailable && refusal.message.contains("identity"), "\(refusal)")
                #expect(try await retention.policy().retentionDays == 30)
            }
        }
    }

    private static let wrongs: [(String, @Sendable (inout RetentionV1.RecordAgreementRequest) -> Void)] = [
        ("organisation_id", { $0.organisationID = "" }), ("organisation_id", { $0.organisationID = "Org North" }),
        ("organisation_id", { $0.organisationID = String(repeating: "a", count: 65) }),
        ("kind", { $0.kind = .unspecified }), ("kind", { $0.kind = .unrecognised(9) }),
        ("reference", { $0.reference = "   " }), ("reference", { $0.reference = String(repeating: "x", count: 101) }),
        ("reference", { $0.reference = "\u{3164}\u{2800}" }), ("reference", { $0.reference = "a\u{7}b" }),
        ("signed_date", { $0.signedDate = "" }),
        ("signed_date", { $0.signedDate = "2026-02-30" }), ("signed_date", { $0.signedDate = "2999-01-01" }),
        ("cap_days", { $0.capDays = 0 }), ("cap_days", { $0.capDays = 32 }), ("cap_days", { $0.capDays = .max }),
    ]

    @Test("each field of an agreement that is wrong is named")
    func wrongFields() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                for (field, change) in Self.wrongs {
                    var request = RetentionV1.RecordAgreementRequest()
                    request.organisationID = "org-north"
                    request.kind = .custom
                    request.reference = "DPA 2026-1"
                    request.signedDate = "2026-01-15"
                    request.capDays = 7
                    change(&request)
                    let refusal = try await status {
                        try await retention.client.recordAgreement(request, options: RunningRetention.asOperator)
                    }
                    #expect(refusal?.code == .invalidArgument)
                    #expect(refusal?.fields.map(\.field) == [field])
                }
                try await expectRefusal(.notFound) { try await retention.policy() }
            }
        }
    }
}

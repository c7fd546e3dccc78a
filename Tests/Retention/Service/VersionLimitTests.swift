import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import Testing

@Suite("How many versions an organisation may have on record")
struct VersionLimitTests {
    @Test(
        "policies that no session refers to make room for more; while all are referred to, one more is refused by name")
    func policies() async throws {
        try await withFolder { folder in
            var limits = RetentionLimits()
            limits.policiesPerOrganisation = 4
            try await withRetention(in: folder, limits: limits) { retention in
                try await retention.record(cap: 30)
                // Far more than there may be, and nothing refers to them.
                for days: UInt32 in 1...20 { try await retention.setPolicy(days) }
                // From here on each has a session.
                for days: UInt32 in 21...24 {
                    try await retention.setPolicy(days)
                    try await retention.open("session-\(days)")
                }
                let refused = try await status { try await retention.setPolicy(25) }
                #expect(refused?.code == .resourceExhausted && refused?.reason == "TOO_MANY_VERSIONS")
                #expect(refused?.metadata["bound"] == "policies-of-organisation")
                #expect(
                    try await retention.client.getPolicy(
                        .init(organisationID: "org-north"), options: RunningRetention.asOperator
                    ).retentionDays == 24)
                // Another organisation does not notice.
                try await retention.record(organisation: "org-south")
                try await retention.open("south", organisation: "org-south")
            }
        }
    }

    @Test("an agreement too many is refused by name, and the one in force stays")
    func agreements() async throws {
        try await withFolder { folder in
            var limits = RetentionLimits()
            limits.agreementsPerOrganisation = 3
            try await withRetention(in: folder, limits: limits) { retention in
                for _ in 1...3 { try await retention.record(cap: 30) }
                let refused = try await status { try await retention.record(cap: 7) }
                #expect(refused?.reason == "TOO_MANY_VERSIONS")
                #expect(refused?.metadata["bound"] == "agreements-of-organisation")
                #expect(try await retention.agreement().capDays == 30)
                try await retention.record(organisation: "org-south")
            }
        }
    }
}

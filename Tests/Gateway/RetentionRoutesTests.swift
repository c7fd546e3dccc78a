import Contracts
import RPC
import Synchronization
import Testing

@Suite("the retention time over HTTP")
struct RetentionRoutesTests {
    private static let organisation = "/v1/organisations/o1"

    @Test("a preview is a GET, and what it counts and names comes as JSON")
    func previews() async throws {
        try await TestGateway.run { gateway in
            let policy = try await gateway.request("GET", "\(Self.organisation)/policy:preview?retention_days=7")
            #expect(policy.status == 200)
            #expect(policy.json["retentionDays"] as? Int == 7 && policy.json["erasedSessions"] as? Int == 1)
            let sessions = policy.json["sessions"] as? [[String: Any]]
            #expect(sessions?.first?["erasedAtOnce"] as? Bool == true)
            let agreement = try await gateway.request("GET", "\(Self.organisation)/agreement:preview")
            #expect(agreement.status == 200 && agreement.json["agreementVersion"] as? Int == 2)
            let wrong = try await gateway.request("GET", "\(Self.organisation)/policy:preview?retention_days=-1")
            #expect(wrong.status == 400 && wrong.fields == ["retention_days"])
            #expect(try await gateway.request("POST", "\(Self.organisation)/policy:preview", body: "{}").status == 405)
        }
    }

    @Test("what was agreed to goes on with the change, and nothing is agreed to by leaving it out")
    func confirmations() async throws {
        try await TestGateway.run { gateway in
            for body in [
                #"{"retentionDays":0,"expectedErasures":3,"confirmZeroDays":true}"#, #"{"retentionDays":5}"#,
            ] {
                let answer = try await gateway.request("PUT", "\(Self.organisation)/policy", body: body)
                #expect(answer.status == 200)
            }
            let confirmed = try await gateway.request(
                "POST", "\(Self.organisation)/agreement:confirm", body: #"{"agreementVersion":2,"expectedErasures":1}"#)
            #expect(confirmed.status == 200)
            let (policies, confirmations) = gateway.others.state.withLock { ($0.policies, $0.confirmations) }
            #expect(
                policies == [
                    .init(organisationID: "o1", retentionDays: 0, expectedErasures: 3, confirmZeroDays: true),
                    .init(organisationID: "o1", retentionDays: 5),
                ])
            #expect(confirmations == [.init(organisationID: "o1", agreementVersion: 2, expectedErasures: 1)])
        }
    }

    @Test("a refusal says how many sessions would be erased")
    func refusal() async throws {
        try await TestGateway.run { gateway in
            gateway.others.state.withLock { state in
                state.failure = RPCError(
                    .failedPrecondition, "expected_erasures: is 0, and 2 would be erased at once",
                    reason: "ERASURES_UNCONFIRMED",
                    fields: [.init(field: "expected_erasures", reason: "is 0, and 2 would be erased at once")])
            }
            let refused = try await gateway.request("PUT", "\(Self.organisation)/policy", body: #"{"retentionDays":5}"#)
            #expect(refused.status == 400 && refused.reason == "ERASURES_UNCONFIRMED")
            #expect(refused.fields == ["expected_erasures"] && refused.text.contains("2 would be erased"))
        }
    }
}

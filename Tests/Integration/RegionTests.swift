import Contracts
import Foundation
import FoundationNetworking
import RPC
import RetentionCore
import TestProcesses
import Testing

@Suite("Where data is kept, as declared")
struct RegionTests {
    @Test(
        "no process starts without a region, or outside the EU and EEA; one line says what to do",
        arguments: RunningSamtal.Service.allCases)
    func required(service: RunningSamtal.Service) async throws {
        let folder = "/tmp/sr-\(UUID().uuidString.prefix(8).lowercased())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for more in [
            [], ["--region", ""], ["--region", "us-east-1"], ["--region", "gb"], ["--region", "eu-west-2"],
        ] {
            let ran = try await ChildProcess.run(
                "samtal-\(service.rawValue)", ["--data", folder] + more, environment: ["SAMTAL_REGION": ""])
            #expect(ran.status == 1, "\(more)")
            #expect(ran.printed.split(separator: "\n").count == 1, "\(ran.printed)")
            #expect(ran.printed.hasPrefix("samtal-\(service.rawValue): "), "\(ran.printed)")
            #expect(ran.printed.contains("--region or SAMTAL_REGION, such as se"), "\(ran.printed)")
            // Not a byte was kept where it must not be.
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }

    @Test("regions that differ are all shown: by each process, by the gateway, over HTTP and on a certificate")
    func differing() async throws {
        let regions: [RunningSamtal.Service: String] = [.retention: "fi-helsinki", .identity: "no"]
        try await RunningSamtal.with(regions: regions) { samtal in
            let expected = [
                "gateway": RunningSamtal.region, "identity": "no", "chat": RunningSamtal.region,
                "retention": "fi-helsinki",
            ]
            for service in RunningSamtal.Service.allCases where service != .gateway {
                let answer = try await DeploymentV1.DeploymentServiceClient(channel: samtal.channel(service))
                    .listRegions(.init())
                #expect(answer.regions.map(\.process) == [service.rawValue])
                #expect(answer.regions.first?.region == expected[service.rawValue])
            }
            // The gateway has asked its neighbours by the time that they are known to serve, or a moment later.
            try await eventually("the gateway has heard from all") {
                let answer = try await DeploymentV1.DeploymentServiceClient(channel: samtal.channel(.gateway))
                    .listRegions(.init())
                return answer.regions.count == 4
            }
            for path in ["/configuration.json", "/healthz"] {
                let url = try #require(URL(string: try samtal.httpAddress() + path))
                let (data, _) = try await URLSession.shared.data(from: url)
                let json = try JSONSerialization.jsonObject(with: data) as? [String: Any]
                #expect(json?["declaredRegions"] as? [String: String] == expected, "\(path)")
            }

            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
            let certificate = try await samtal.retention.eraseSession(
                .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
            #expect(
                certificate.statement.contains(
                    #""declared_regions":{"chat":"\#(RunningSamtal.region)","retention":"fi-helsinki"}"#))

            // A service that is moved and started again declares anew.
            try await samtal.end(.identity, signal: SIGTERM)
            try await samtal.start(.identity, region: "dk")
            try await eventually("the gateway has heard of it") {
                let answer = try await DeploymentV1.DeploymentServiceClient(channel: samtal.channel(.gateway))
                    .listRegions(.init())
                return answer.regions.contains(.init(process: "identity", region: "dk"))
            }
        }
    }
}

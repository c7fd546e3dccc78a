internal import Contracts
package import Privacy
package import RPC

/// Tells other backends where data is kept, as the operator declares: on the socket of every process.
struct DeclaredRegions: DeploymentV1.DeploymentServiceHandler {
    static let service = DeploymentV1.DeploymentServiceMethods.listRegions.service

    let process: String
    let region: Region
    let neighbours: @Sendable () -> [String: Region]

    func listRegions(
        _ request: DeploymentV1.ListRegionsRequest, call: ServerCall
    ) async throws -> DeploymentV1.ListRegionsResponse {
        let others = neighbours().sorted { $0.key < $1.key }
        let all = [(process, region)] + others.map { ($0.key, $0.value) }
        return .init(regions: all.map { .init(process: $0.0, region: $0.1.name) })
    }
}

/// What a neighbour declares of itself.
package struct NeighbourRegion: Sendable {
    private static let timeout: Duration = .seconds(2)

    private let client: DeploymentV1.DeploymentServiceClient
    private let process: String

    /// - Parameter process: the neighbour's name.
    package init(of process: String, channel: RPCChannel) {
        self.process = process
        client = DeploymentV1.DeploymentServiceClient(channel: channel)
    }

    /// Nil if it doesn't say, or says what is no region.
    package func ask() async -> Region? {
        let answer = try? await client.listRegions(.init(), options: CallOptions(timeout: Self.timeout))
        guard let told = answer?.regions.first(where: { $0.process == process }) else { return nil }
        return try? Region(told.region)
    }
}

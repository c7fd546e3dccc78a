/// What the server answers to `grpc.health.v1.Health`, which it installs itself: Check and Watch.
public final class HealthService: Sendable {
    public init() {}
    public func set(_ serving: Bool, service: String = "") {}
}

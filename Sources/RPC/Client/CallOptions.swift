/// What a caller says about one call.
public struct CallOptions: Sendable {
    public var metadata: Metadata
    /// When to give up. It is sent to the server as `grpc-timeout` and enforced here as well.
    public var deadline: ContinuousClock.Instant?
    /// Wait for the server to come up, until the deadline, instead of failing at once with UNAVAILABLE.
    public var waitForReady: Bool

    public init(metadata: Metadata = [:], timeout: Duration? = nil, waitForReady: Bool = false) {
        self.metadata = metadata
        self.deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
        self.waitForReady = waitForReady
    }
}

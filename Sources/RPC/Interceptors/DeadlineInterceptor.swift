/// Gives every unary call of a channel a deadline, so that none waits for ever for a server that hangs.
///
/// The deadline that the caller set counts, up to the maximum; without one it is the method's own, or the maximum. A
/// server keeps the method's default by itself (``MethodDescriptor/defaultDeadline``); this is the caller's side of it.
/// Calls of many messages may stay open, and are left alone.
public struct DeadlineInterceptor: ClientInterceptor {
    private let maximum: Duration

    /// - Parameter maximum: how long a unary call may take at most.
    public init(maximum: Duration) {
        self.maximum = maximum
    }

    public func begin(_ method: MethodDescriptor, options: inout CallOptions) async throws(RPCError) {
        guard method.kind == .unary else { return }
        let now = ContinuousClock.now
        let latest = now.advanced(by: maximum)
        if let deadline = options.deadline {
            options.deadline = min(deadline, latest)
        } else {
            options.deadline = method.defaultDeadline.map { min(now.advanced(by: $0), latest) } ?? latest
        }
    }

    public func end(_ method: MethodDescriptor, outcome: RPCError?) {}
}

internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension RPCChannel {
    /// The connection there is, or the next one.
    ///
    /// - Parameter key: names the wait to whoever may call it off.
    func connection(
        for options: CallOptions, _ key: @autoclosure () -> WaitKey = WaitKey()
    ) async throws(RPCError) -> ClientConnection {
        if let picker {
            if let connection = picker.ready(for: options) { return connection }
        } else if case .ready(let connection) = single.link.withLock({ $0.phase }) {
            return connection
        }
        let key = key()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { wait(key, options, $0) }
        } onCancel: {
            callOff(key)
        }
        return try result.get()
    }

    /// The call that waits no longer wants to.
    func callOff(_ key: WaitKey) {
        key.cancel()
        giveUp(key, RPCChannel.cancelled)
    }

    /// The deadline of the call that waits has passed.
    private func expire(_ key: WaitKey) {
        key.expire()
        giveUp(key, RPCChannel.expired)
    }

    private static let cancelled = RPCError(.cancelled, "the call was cancelled")
    private static let expired = RPCError(.deadlineExceeded, "the deadline passed before the server was reachable")

    private func wait(
        _ key: WaitKey, _ options: CallOptions,
        _ continuation: UnsafeContinuation<Result<ClientConnection, RPCError>, Never>
    ) {
        let timer = options.deadline.map { deadline in
            common.group.any().scheduleTask(deadline: NIODeadline(at: deadline)) { [weak self] in
                self?.expire(key)
            } as Scheduled<Void>
        }
        let waiter = ConnectionWaiter(
            key, waitsForReady: options.waitForReady, routingKey: options.routingKey, .task(continuation), timer: timer)
        if let picker {
            picker.want(waiter)
        } else {
            single.want(waiter)
        }
        // Cancelled, or out of time, before it was among the waiters: nobody else will say so.
        if key.isCancelled { giveUp(key, RPCChannel.cancelled) }
        if key.isExpired { giveUp(key, RPCChannel.expired) }
    }

    private func giveUp(_ key: WaitKey, _ error: RPCError) {
        if let picker {
            picker.giveUp(key, error)
        } else {
            single.giveUp(key, error)
        }
    }
}

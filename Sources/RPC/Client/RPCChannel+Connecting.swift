internal import NIOCore
internal import NIOPosix
internal import Synchronization

extension RPCChannel {
    /// The connection there is, or the next one.
    ///
    /// - Parameters:
    ///   - patienceEnd: when a call that doesn't wait for the server until its deadline stops waiting; nil: it doesn't wait.
    ///     Looked at only when there is no connection.
    ///   - key: names the wait to whoever may call it off.
    func connection(
        for options: CallOptions, until patienceEnd: @autoclosure () -> ContinuousClock.Instant? = nil,
        _ key: @autoclosure () -> WaitKey = WaitKey()
    ) async throws(RPCError) -> ClientConnection {
        if let picker {
            if let connection = picker.ready(for: options) { return connection }
        } else if case .ready(let connection) = single.link.withLock({ $0.phase }) {
            return connection
        }
        let key = key()
        let patienceEnd = patienceEnd()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { wait(key, options, until: patienceEnd, $0) }
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

    /// The deadline of the call that waits has passed, or it is no longer willing to wait.
    private func expire(_ key: WaitKey, isPatient: Bool) {
        key.expire()
        giveUp(key, expired(isPatient: isPatient))
    }

    /// - Parameter isPatient: whether the call would have waited until its deadline.
    private func expired(isPatient: Bool) -> RPCError {
        isPatient ? RPCChannel.expired : picker?.refusal ?? common.unreachable
    }

    private static let cancelled = RPCError(.cancelled, "the call was cancelled")
    private static let expired = RPCError(.deadlineExceeded, "the deadline passed before the server was reachable")

    private func wait(
        _ key: WaitKey, _ options: CallOptions, until patienceEnd: ContinuousClock.Instant?,
        _ continuation: UnsafeContinuation<Result<ClientConnection, RPCError>, Never>
    ) {
        var end = options.deadline
        var isPatient = true
        if let patienceEnd, end.map({ patienceEnd < $0 }) ?? true { (end, isPatient) = (patienceEnd, false) }
        let timer = end.map { [isPatient] end in
            common.group.any().scheduleTask(deadline: NIODeadline(at: end)) { [weak self] in
                self?.expire(key, isPatient: isPatient)
            } as Scheduled<Void>
        }
        let waiter = ConnectionWaiter(
            key, waitsForReady: options.waitForReady ?? (patienceEnd != nil), routingKey: options.routingKey,
            .task(continuation), timer: timer)
        if let picker {
            picker.want(waiter)
        } else {
            single.want(waiter)
        }
        // Cancelled, or out of time, before it was among the waiters: nobody else will say so.
        if key.isCancelled { giveUp(key, RPCChannel.cancelled) }
        if key.isExpired { giveUp(key, expired(isPatient: isPatient)) }
    }

    private func giveUp(_ key: WaitKey, _ error: RPCError) {
        if let picker {
            picker.giveUp(key, error)
        } else {
            single.giveUp(key, error)
        }
    }
}

internal import NIOCore
internal import NIOHTTPTypes
internal import ServiceKit

/// One browser that follows a session. Events are written to its connection right on the connection's event loop, with
/// no task to wake for each.
///
/// What has not left for the network is bounded: by a number of events while the follower is still being sent what it
/// missed, by the connection's buffer afterwards. A follower over its bound is cut, and resumes after the last event
/// it saw.
final class Follower: Sendable {
    enum End: Sendable {
        /// The feed is over, and everything of it has been written.
        case finished
        /// The connection is closed.
        case disconnected
    }

    private enum Phase {
        /// Events that arrived while what was missed is still being sent.
        case replaying(waiting: [ByteBuffer], isFinished: Bool)
        case live
        case over
    }

    private let channel: any Channel
    private let waitingLimit: Int
    /// Held for as long as the follower counts.
    private let place: Places.Place
    private let ended: EventLoopPromise<End>
    /// Guard: the connection's event loop.
    private let phase: NIOLoopBoundBox<Phase>

    init(channel: any Channel, waitingLimit: Int, place: Places.Place) {
        self.channel = channel
        self.waitingLimit = waitingLimit
        self.place = place
        ended = channel.eventLoop.makePromise()
        phase = .makeBoxSendingValue(.replaying(waiting: [], isFinished: false), eventLoop: channel.eventLoop)
        let (ended, phase) = (ended, phase)
        channel.closeFuture.hop(to: channel.eventLoop).whenComplete { _ in
            phase.value = .over
            ended.succeed(.disconnected)
        }
    }

    /// Completes on the connection's event loop, however the follower ends.
    var whenEnded: EventLoopFuture<End> { ended.futureResult }

    /// What was missed has been sent: writes what has arrived since, and from now on everything as it comes. Returns
    /// when the follower has ended; a cancelled task closes the connection.
    func follow() async throws -> End {
        channel.eventLoop.execute { self.goLive() }
        return try await withTaskCancellationHandler {
            try await ended.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// On the event loop. The caller flushes when it has handed over all that it has.
    func receive(_ buffer: ByteBuffer) {
        switch phase.value {
        case .replaying(var waiting, let isFinished):
            guard waiting.count < waitingLimit else { return cut() }
            phase.value = .over  // so that the array is not copied
            waiting.append(buffer)
            phase.value = .replaying(waiting: waiting, isFinished: isFinished)
        case .live:
            guard channel.isWritable else { return cut() }
            channel.write(HTTPResponsePart.body(buffer), promise: nil)
        case .over: break
        }
    }

    /// On the event loop.
    func flush() {
        if case .live = phase.value { channel.flush() }
    }

    /// On the event loop: nothing more will come.
    func finish() {
        switch phase.value {
        case .replaying(let waiting, _): phase.value = .replaying(waiting: waiting, isFinished: true)
        case .live:
            phase.value = .over
            channel.flush()
            ended.succeed(.finished)
        case .over: break
        }
    }

    private func goLive() {
        guard case .replaying(let waiting, let isFinished) = phase.value else { return }
        ConnectionGuard.closeOnHangUp(of: channel)
        phase.value = .live
        for buffer in waiting { receive(buffer) }
        flush()
        if isFinished { finish() }
    }

    private func cut() {
        phase.value = .over
        ended.succeed(.disconnected)
        channel.close(promise: nil)
    }
}

extension ConnectionGuard {
    /// On the channel's event loop: a client that hangs up closes the connection at once, so that whoever writes to it
    /// hears of it.
    static func closeOnHangUp(of channel: any Channel) {
        guard let guardian = try? channel.pipeline.syncOperations.handler(type: ConnectionGuard.self) else { return }
        guardian.whenHungUp { channel.close(promise: nil) }
    }
}

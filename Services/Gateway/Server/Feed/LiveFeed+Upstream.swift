internal import Contracts
internal import Foundation
internal import GatewayCore
internal import NIOCore
internal import Privacy
internal import RPC
internal import Synchronization

extension LiveFeed {
    /// Follows upstream until the feed is over, and ends it.
    func run() async {
        let end = await withTaskGroup(of: End.self) { group in
            group.addTask { await self.followUpstream() }
            group.addTask { await self.watchOver() }
            group.addTask {
                for await _ in self.givingWay {}
                return Task.isCancelled ? .stopped : .unfollowed
            }
            let first = await group.next() ?? .stopped
            group.cancelAll()
            return first
        }
        finish(end)
    }

    /// Watches the session, and again after every break, each time after the last event seen.
    private func followUpstream() async -> End {
        var backoff = limits.backoff
        while !Task.isCancelled {
            do {
                let after = state.withLock { $0.content.resumePosition }
                let request = ChatV1.WatchSessionRequest(
                    sessionID: sessionID, position: after?.text ?? "", audience: .public)
                for try await event in chat.watchSession(request) {
                    backoff.reset()
                    if try !take(FeedFrame(event)) { return .restored }
                }
            } catch let error as RPCError {
                if let end = end(after: error) { return end }
            } catch {
                return .refused(RPCError(.internal, "the feed can't be read", reason: "MALFORMED_ANSWER"))
            }
            state.withLock { $0.lostSince = $0.lostSince ?? .now }
            do {
                try await Task.sleep(for: backoff.wait(random: .random(in: 0...1)))
            } catch {
                return .stopped
            }
        }
        return .stopped
    }

    /// What an error from upstream means for the feed; nil: try again. Until the present state is known there is nothing
    /// to show, so whoever waits is told at once.
    private func end(after error: RPCError) -> End? {
        if Task.isCancelled { return .stopped }
        switch error.code {
        case .notFound: return .gone
        case .invalidArgument, .permissionDenied, .unauthenticated, .failedPrecondition, .unimplemented:
            return .refused(error)
        case .outOfRange, .aborted: return nil
        default:
            let isOpening = state.withLock { state in
                if case .opening = state.phase { return true }
                return false
            }
            return isOpening || error.reason == Self.tooLarge.reason ? .refused(error) : nil
        }
    }

    private static let tooLarge = RPCError(
        .resourceExhausted, "the session is too large to be followed here", reason: "FEED_TOO_LARGE")

    /// Takes one event in and passes it on.
    /// - Returns: false when it does not go on what is here: chat's store was restored.
    private func take(_ frame: FeedFrame) throws(RPCError) -> Bool {
        var waiters: [CheckedContinuation<Void, Never>] = []
        let outcome = state.withLock { state -> FeedState<ByteBuffer>.Outcome? in
            (state.lostSince, state.silentSince) = (nil, nil)
            state.tellIfBack()
            switch frame {
            case .event(let event, let epoch, let deleteTime):
                guard state.content.continues(in: epoch) else { return nil }
                let outcome = state.content.apply(event)
                if outcome == .news {
                    if case .session = event.subject { state.deleteTime = deleteTime }
                    state.broadcast(.event(event.payload))
                }
                return outcome
            case .caughtUp(let position):
                guard state.content.continues(in: position.epoch) else { return nil }
                state.content.catchUp(sequence: position.sequence)
                if case .opening(let waiting) = state.phase {
                    waiters = waiting
                    state.phase = .live
                    state.unfollowedSince = .now
                }
                return .known
            case .reset: return nil
            case .unknown: return .known
            }
        }
        for waiter in waiters { waiter.resume() }
        if outcome == .full { throw Self.tooLarge }
        return outcome != nil
    }

    /// Looks now and then whether the feed should go on, and lets followers hear that it does.
    private func watchOver() async -> End {
        let pause = min(limits.heartbeat, .seconds(1))
        let began = ContinuousClock.now
        var heartbeatDue = began + limits.heartbeat
        while true {
            do { try await Task.sleep(for: pause) } catch { return .stopped }
            let time = ContinuousClock.now
            if let end = end(at: time, opened: began) { return end }
            tellIfAway(at: time)
            if time >= heartbeatDue {
                state.withLock { $0.broadcast(.event(FeedFrame.heartbeat)) }
                heartbeatDue = time + limits.heartbeat
            }
        }
    }

    /// Whether upstream answers when it is asked for its health: a watch hears nothing of a process that hangs.
    func upstream(answers: Bool) {
        state.withLock { state in
            state.silentSince = answers ? nil : state.silentSince ?? .now
            state.tellIfBack()
        }
    }

    private func tellIfAway(at time: ContinuousClock.Instant) {
        state.withLock { state in
            guard !state.isAwayTold, let since = state.awaySince, since.duration(to: time) >= limits.awayTime,
                case .live = state.phase
            else { return }
            state.isAwayTold = true
            state.broadcast(.event(FeedFrame.away))
        }
    }

    private func end(at time: ContinuousClock.Instant, opened began: ContinuousClock.Instant) -> End? {
        state.withLock { state in
            // Chat hides the session by its own clock; so does the gateway, also while chat can't be reached.
            if let deleteTime = state.deleteTime, now() >= deleteTime { return .gone }
            if case .opening = state.phase {
                guard began.duration(to: time) >= limits.openTimeout else { return nil }
                return .refused(RPCError(.deadlineExceeded, "chat took too long", reason: "NEIGHBOUR_TIMEOUT"))
            }
            if let since = state.awaySince, since.duration(to: time) >= limits.staleTime { return .stale }
            if let since = state.unfollowedSince, since.duration(to: time) >= limits.unfollowedTime {
                // At once, so that nobody joins a feed that is about to be dropped: they get a new one.
                state.phase = .ended(.unfollowed)
                isOver.store(true, ordering: .releasing)
                return .unfollowed
            }
            return nil
        }
    }
}

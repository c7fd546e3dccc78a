internal import NIOCore
internal import Synchronization

/// The followers of one feed whose connections live on one event loop. What is enqueued reaches them in the order it
/// was enqueued; all that has gathered until the loop has its turn is written with one flush for each connection.
final class FeedBranch: Sendable {
    enum Item: Sendable {
        case add(Follower)
        case event(ByteBuffer)
        /// Nothing comes after it.
        case end
    }

    private let eventLoop: any EventLoop
    private let outbox = Mutex<[Item]>([])
    /// Guard: the event loop.
    private let followers: NIOLoopBoundBox<[ObjectIdentifier: Follower]>

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        followers = .makeBoxSendingValue([:], eventLoop: eventLoop)
    }

    /// From any thread.
    func enqueue(_ item: Item) {
        let isFirst = outbox.withLock { items in
            items.append(item)
            return items.count == 1
        }
        if isFirst { eventLoop.execute { self.deliver() } }
    }

    private func deliver() {
        let items = outbox.withLock { items in
            defer { items = [] }
            return items
        }
        for item in items {
            switch item {
            case .add(let follower): add(follower)
            case .event(let buffer): for follower in followers.value.values { follower.receive(buffer) }
            case .end:
                for follower in followers.value.values { follower.finish() }
                followers.value = [:]
            }
        }
        for follower in followers.value.values { follower.flush() }
    }

    private func add(_ follower: Follower) {
        let id = ObjectIdentifier(follower)
        followers.value[id] = follower
        let followers = followers
        // Completes on this loop, so the box may be touched.
        follower.whenEnded.whenComplete { _ in followers.value[id] = nil }
    }
}

internal import ServiceLifecycle
internal import UnixSignals

/// Tells watchers to resume as soon as the process is asked to stop.
///
/// The server drains by itself, but it waits for streams that are meant never to end; background services hear of the
/// shutdown only after that. So this one listens for the signals too.
struct FeedDrain: Service {
    let feed: LiveFeed

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            feed.drain()
        }
    }
}

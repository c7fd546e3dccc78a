internal import NIOCore
internal import ProtobufC

/// Watches the health of a service over one connection (`grpc.health.v1.Health/Watch`; gRFC A17), as long as the
/// connection lasts.
final class HealthWatch: @unchecked Sendable {
    // Unchecked: touched on the connection's event loop alone, but for `start`, which goes there.

    private let connection: ClientConnection
    private let service: String
    private let report: @Sendable (_ isServing: Bool) -> Void
    private var backoff = ReconnectBackoff()
    /// Until the first answer.
    private var unanswered: Scheduled<Void>?

    init(_ connection: ClientConnection, service: String, report: @escaping @Sendable (_ isServing: Bool) -> Void) {
        self.connection = connection
        self.service = service
        self.report = report
    }

    func start() {
        // In a turn of its own: a connection is reported before it can be called on.
        connection.eventLoop.execute { self.begin() }
    }

    private func begin() {
        guard let session = connection.session, !connection.isDraining else { return }
        // A server that takes one call at a time would have no room for any beside the watch: it is taken to be well.
        if session.remoteMaxConcurrentStreams == 1 { return report(true) }
        expectAnswer()
        let request = HealthV1.HealthCheckRequest(service: service)
        let stream = ClientStream(
            connection: connection, method: HealthV1.HealthMethods.watch, options: CallOptions(),
            framedRequest: MessageFraming.framed(request))
        connection.backgroundStreams += 1
        connection.start(stream, .observer(self))
    }

    /// Takes a server that says nothing about its health not to serve, since calls wait for what it says.
    private func expectAnswer() {
        unanswered = connection.eventLoop.scheduleTask(in: TimeAmount(connection.limits.handshakeTimeout)) {
            self.report(false)
        }
    }

    private func answered() {
        unanswered?.cancel()
        unanswered = nil
    }

    /// The server says how it is.
    func received(_ message: InboundMessage) {
        answered()
        backoff.succeeded()
        let response: HealthV1.HealthCheckResponse
        do {
            let bytes = try message.decoded(limit: HealthWatch.maxResponseBytes, noun: "response")
            response = try HealthV1.HealthCheckResponse(serialized: bytes)
        } catch {
            return report(false)
        }
        report(response.status == .serving)
    }

    private static let maxResponseBytes = 4096

    /// The server has ended the watch, or the connection has.
    func ended(_ outcome: CallOutcome) {
        answered()
        connection.backgroundStreams -= 1
        if case .failure(let failure) = outcome, failure.error.code == .unimplemented {
            // A server without health is taken to be well.
            return report(true)
        }
        guard connection.session != nil, !connection.isDraining else { return }
        report(false)
        backoff.failed(at: .now, chance: .random(in: 0..<1))
        connection.eventLoop.scheduleTask(in: TimeAmount(backoff.wait(at: .now) ?? ReconnectBackoff.first)) {
            self.begin()
        }
    }
}

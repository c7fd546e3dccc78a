internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// One HTTP connection's pipeline: the server library's, with the gateway's own handlers in it.
///
/// bytes → `ConnectionClock` → parser → `RequestGate` → the library's conversion → `ConnectionGuard` → the library
struct GatewayChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let base: HTTP1Channel
    private let configuration: GatewayConfiguration
    private let ledger: ConnectionLedger
    private let answers: ErrorAnswers

    init(
        configuration: GatewayConfiguration, ledger: ConnectionLedger, answers: ErrorAnswers,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        let stallTimeout = configuration.stallTimeout
        // A field may be as long as all together; a target longer than its bound is found out by the gate.
        let headerBytes = max(configuration.maximumHeaderBytes, configuration.maximumTargetBytes)
        base = HTTP1Channel(
            responder: responder,
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(stallTimeout: stallTimeout)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: headerBytes,
                    maxHeaderListSize: configuration.maximumHeaderBytes + configuration.maximumTargetBytes,
                    maxHeaderFieldCount: configuration.maximumHeaderCount)))
        self.configuration = configuration
        self.ledger = ledger
        self.answers = answers
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let clock = ConnectionClock(
                requestTimeout: configuration.requestTimeout, idleTimeout: configuration.idleTimeout)
            let gate = RequestGate(configuration: configuration, clock: clock, ledger: ledger, answers: answers)
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(clock, position: .first)
            try pipeline.addHandler(gate, position: .after(parser))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

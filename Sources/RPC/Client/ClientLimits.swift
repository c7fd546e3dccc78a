/// What a client bounds as its use asks for. Each is per channel or connection.
///
/// Bounds that suit every use are fixed: bytes of a stream's requests on their way, informational responses, CONTINUATION
/// frames of one header block, entries of one SETTINGS frame, and acknowledgements that wait to be sent.
public struct ClientLimits: Sendable {
    /// The longest response message that is read into memory, in bytes, inflated; a call or a method may say otherwise.
    public var maxResponseBytes = 4 * 1024 * 1024
    /// Calls that wait because the server lets no more in, on one connection; and calls that wait for a connection.
    /// More fail with RESOURCE_EXHAUSTED.
    public var maxWaitingCalls = 10_000
    /// Bytes of a response stream on their way to a reader: HTTP/2's window, which opens as responses are read.
    public var streamWindow = 256 * 1024
    /// The same for all the streams of a connection that are being sent at once.
    public var connectionWindow = 8 * 1024 * 1024
    /// Bytes of names and values of one block of response headers or trailers, counted as HTTP/2 does (plus 32 per pair,
    /// RFC 9113 6.5.2). A longer one fails its call; one sixteen times as long ends the connection.
    public var maxHeaderListBytes = 64 * 1024
    /// How long a server may take to send HTTP/2's settings once it is connected to; then the connection is closed. As
    /// long to say whether it serves, where its health is watched; then it is taken not to, until it does.
    public var handshakeTimeout: Duration = .seconds(20)
    /// Frames per second that belong to no call, after a burst of ten times as many: SETTINGS (each entry counts), unknown
    /// types. As many of PING and DATA without data again, and as many WINDOW_UPDATE frames; of these more in proportion
    /// to what was sent to the server. A server that sends more loses the connection.
    public var maxControlFramesPerSecond = 100

    /// How long a call waits in all for a server that is away, as one is that is being restarted, before it fails with
    /// UNAVAILABLE; a call may say otherwise (``CallOptions/waitForReady``). Nil: it fails at once.
    public var patience: Duration?

    public init() {}

    /// The longest wait between two attempts at a connection: calls that wait for a while only are to see several.
    var longestBackoff: Duration {
        patience.map { min(max($0 / 8, ReconnectBackoff.first), ReconnectBackoff.longest) } ?? ReconnectBackoff.longest
    }
}

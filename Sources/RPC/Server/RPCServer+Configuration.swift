extension RPCServer {
    /// Where a server listens, and every bound it keeps.
    public struct Configuration: Sendable {
        public var address: ServerAddress
        /// The mode of the socket file, in force before anyone can connect; not that of an inherited one.
        public var socketMode: UInt16 = 0o660
        /// Whether a process may connect, by its credentials; refused ones are closed before they are read from.
        public var acceptPeer: @Sendable (Peer) -> Bool = { _ in true }
        /// Connections that wait to be accepted.
        public var backlog = 1024
        /// Connections served at the same time; more are closed at accept.
        public var maxConnections = 1024
        /// Of these, from one process, so that others still find room; more are closed at accept. Nil: all of them.
        public var maxConnectionsOfProcess: Int?
        /// Calls at the same time on one connection. Enough for a gateway's watchers on a thousand live sessions, and
        /// few enough that the worst case, every one of them stalled with a full response buffer, stays at 64 MiB.
        public var maxConcurrentStreams = 1024
        /// Bytes of names and values of one request's headers, counted as HTTP/2 does (plus 32 per pair, RFC 9113
        /// 6.5.2).
        public var maxHeaderListBytes = 16 * 1024
        /// Bytes of requests that wait in memory on one connection, all its calls together; a call that would go over
        /// ends with RESOURCE_EXHAUSTED.
        public var maxBufferedRequestBytes = 16 * 1024 * 1024
        /// Bytes of responses buffered on one stream before a writer has to wait.
        public var maxBufferedResponseBytes = 64 * 1024
        /// Bytes of responses buffered on one connection, all its calls together, before calls that arrive on it wait to
        /// be started, and writers wait. Responses of calls that run already are kept up to twice as many; those beyond
        /// end with RESOURCE_EXHAUSTED. As much as all the streams of a connection may buffer.
        public var maxBufferedConnectionResponseBytes = 64 * 1024 * 1024
        /// Frames that wait to be sent on one connection: several for each of its calls. A caller that makes the server
        /// queue more, by opening streams that are refused while it reads nothing, is cut off.
        public var maxQueuedFrames = 8192
        /// Whether responses go out compressed in gzip to callers that accept it, unless their handlers say otherwise
        /// (``ServerCall/setCompression(_:)``). On one machine it costs more than it saves.
        public var responseCompression = false
        /// How long a connection may take to send HTTP/2's preface and settings.
        public var handshakeTimeout: Duration = .seconds(5)
        /// How long a caller may take to send the whole of one request.
        public var requestTimeout: Duration = .seconds(30)
        /// How long a finished response waits at least, and at most twice, for a caller that doesn't read it; and how
        /// long the last bytes of a connection whose calls are done.
        public var unreadResponseTimeout: Duration = .seconds(60)
        /// Acknowledgements of PING and SETTINGS that wait to be sent on one connection.
        public var maxQueuedAcknowledgements = 256
        /// Entries of one SETTINGS frame.
        public var maxSettingsEntries = 32
        /// CONTINUATION frames of one header block.
        public var maxContinuations = 8
        /// Streams per second that a caller may reset, or have the server reset or refuse by doing what HTTP/2 forbids,
        /// after a burst of ten times as many (rapid reset, CVE-2023-44487, and MadeYouReset, CVE-2025-8671).
        public var maxResetsPerSecond = 200
        /// Frames per second that belong to no call, after a burst of ten times as many: PRIORITY, GOAWAY, unknown types,
        /// and SETTINGS, where each entry counts. As many of PING and DATA without data again, and as many WINDOW_UPDATE
        /// frames; of these more in proportion to what was sent to the caller.
        public var maxControlFramesPerSecond = 100
        /// How long calls in flight may go on after a shutdown has begun.
        public var drainTimeout: Duration = .seconds(10)
        /// How long handlers may take to return after they were cancelled at the end of that time.
        public var cancelTimeout: Duration = .seconds(2)

        /// How long nothing may come from a caller before it is asked for a sign of life (a PING), at least, and at most
        /// twice as long; nil: never. The kernel tells of a process that is gone, so this only finds those that are
        /// stopped, or at the other end of something that forwards connections.
        public var keepaliveInterval: Duration?
        /// How long it may take to give it, before the connection is closed.
        public var keepaliveTimeout: Duration = .seconds(20)
        /// How long a connection is kept without calls before it is drained; nil: for ever.
        public var maxConnectionIdle: Duration?
        /// How old a connection may become, a tenth more or less, before it is drained; nil: as old as it likes.
        public var maxConnectionAge: Duration?
        /// How long calls in flight may then go on, before they end with UNAVAILABLE; nil: until they are done.
        public var maxConnectionAgeGrace: Duration?

        public init(address: ServerAddress) {
            self.address = address
        }

        /// As ``init(address:)``, for the file of a socket.
        public init(socketPath: String) {
            self.init(address: .path(socketPath))
        }
    }
}

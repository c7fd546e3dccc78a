internal import CNghttp2
internal import NIOCore

/// What a connection makes of events that belong to no stream of its own yet, or to none at all.
protocol HTTP2SessionDelegate: AnyObject {
    /// A header block begins on a stream the session doesn't know: on a server, a new call. Nil refuses it.
    func streamBegan(id: Int32) -> HTTP2Stream?
    func streamClosed(_ stream: HTTP2Stream)
    /// The other side's settings have arrived.
    func settingsReceived()
    /// The other side takes no more streams; `forPings` when it says that it was asked for signs of life too often.
    func goAwayReceived(forPings: Bool)
    /// The stream was reset, with that error code, for what the other side did wrong on it.
    func streamWasAtFault(_ stream: HTTP2Stream, code: UInt32)
    /// A frame that costs the other side little and this side something; false ends the connection.
    func allows(_ frame: HTTP2Session.CountedFrame) -> Bool
}

extension HTTP2SessionDelegate {
    func streamWasAtFault(_ stream: HTTP2Stream, code: UInt32) {}
}

/// One side of an HTTP/2 connection: nghttp2's state machine and HPACK, with no I/O of its own.
///
/// It belongs to one event loop, which is its only guard. The closures of streams and delegate are called from within
/// ``receive(_:)`` and ``send(into:upTo:)``; they may submit frames but not call those two.
final class HTTP2Session {
    enum Side {
        case client
        case server
    }

    /// What costs the other side little and this side something, so that its rate is bounded.
    enum CountedFrame {
        /// A stream ended before its time: the other side reset it, or did what this side must answer with a reset or a
        /// refusal. The work that was begun for it goes on for a while, and no limit on open streams counts it.
        case reset
        /// A frame that is part of no call, and how much it costs: one for itself, more for a long one.
        case control(cost: Int)
        /// A PING, or DATA without data: what some implementations send along with the data of calls.
        case accompanying
        case windowUpdate
    }

    struct Settings {
        var maxConcurrentStreams: Int
        var maxHeaderListBytes: Int
        /// Bytes the other side may send on one stream before it is told that they were taken.
        var streamWindow: Int
        /// The same for the whole connection.
        var connectionWindow: Int
        /// Entries of one SETTINGS frame.
        var maxSettingsEntries = 32
        /// CONTINUATION frames of one header block.
        var maxContinuations = 8
        /// Acknowledgements of the other side's frames that wait to be sent.
        var maxQueuedAcknowledgements = 256
    }

    /// The session is over; the bytes already queued (a GOAWAY that says why) may still be sent.
    struct Failure: Error {
        var code: Int

        /// Whether nghttp2 ended it because there was too much of something.
        var isFlood: Bool {
            code == NGHTTP2_ERR_FLOODED.rawValue || code == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue
        }
    }

    let pointer: OpaquePointer
    private let memory: SessionMemory
    /// Held only for the time of the connection, which owns the session.
    unowned let delegate: any HTTP2SessionDelegate
    /// The stream that the last callback was about: frames of one stream mostly follow each other. The connection holds
    /// it until the session has said that it is closed, and then it is forgotten here.
    var current: Unmanaged<HTTP2Stream>?
    var currentID: Int32 = 0
    /// The stream that the other side was the last to reset.
    var resetID: Int32 = 0
    /// Streams ended too often before their time: the connection is to be closed.
    var isFlooded = false
    /// The error code of the GOAWAY with which nghttp2 has ended the session for what the other side did; 0 for none.
    private(set) var failureCode: UInt32 = 0
    /// The other side has said that it goes, without a fault of this side's, in a way that nghttp2 ends the session for:
    /// gRPC for Go names the last stream of its own (``SessionCallbacks``).
    var isLeft = false
    /// Whether the session ends for what the other side did.
    var isAtFault: Bool { isFlooded || !isLeft && failureCode != HTTP2ErrorCode.none.rawValue }
    /// Bytes handed over to be sent, since the beginning.
    private(set) var sentBytes = 0
    /// Bytes of a frame's header (RFC 9113, 4.1).
    private static let frameHeader = 9
    /// What frames are written to while ``send(into:upTo:)`` runs, and how long it may become.
    @exclusivity(unchecked) private var target = ByteBuffer()
    @exclusivity(unchecked) private var targetLimit = 0

    init?(side: Side, settings: Settings, delegate: any HTTP2SessionDelegate, memory: SessionMemory = SessionMemory()) {
        self.delegate = delegate
        self.memory = memory
        var created: OpaquePointer?
        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0 else { return nil }
        defer { nghttp2_option_del(option) }
        // Windows open as what they let in is taken, not as it arrives.
        nghttp2_option_set_no_auto_window_update(option, 1)
        // Streams that are over are forgotten: no priorities are kept for them.
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_outbound_ack(option, settings.maxQueuedAcknowledgements)
        nghttp2_option_set_max_settings(option, settings.maxSettingsEntries)
        nghttp2_option_set_max_continuations(option, settings.maxContinuations)
        // Types that HTTP/2 doesn't know are asked for, so that they can be counted.
        for type in UInt8(0xA)...0xFF { nghttp2_option_set_user_recv_extension_type(option, type) }
        // The connection counts resets itself; nghttp2's own limit only has to be out of the way.
        nghttp2_option_set_stream_reset_rate_limit(option, 1_000_000, 1_000_000)
        switch side {
        // What others say is padded with spaces is taken all the same, as gRPC asks for.
        case .client: nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1)
        // A stream of a server's looks at HTTP/2's rules for requests itself (``RequestHeaders``).
        case .server: nghttp2_option_set_no_http_messaging(option, 1)
        }
        let callbacks = SessionCallbacks.shared.pointer
        let result =
            switch side {
            case .client: nghttp2_session_client_new3(&created, callbacks, nil, option, memory.functions)
            case .server: nghttp2_session_server_new3(&created, callbacks, nil, option, memory.functions)
            }
        guard result == 0, let created else { return nil }
        pointer = created
        nghttp2_session_set_user_data(pointer, Unmanaged.passUnretained(self).toOpaque())
        submit(settings, side: side)
    }

    deinit {
        nghttp2_session_del(pointer)
    }

    private func submit(_ settings: Settings, side: Side) {
        var entries = [
            HTTP2Session.entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow),
            HTTP2Session.entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maxHeaderListBytes),
        ]
        switch side {
        case .client:
            entries.append(HTTP2Session.entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        case .server:
            entries.append(HTTP2Session.entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams))
            // Calls are equals: nghttp2 needs no tree of priorities (RFC 9218, 2.1).
            entries.append(HTTP2Session.entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1))
        }
        nghttp2_submit_settings(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        nghttp2_session_set_local_window_size(
            pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(settings.connectionWindow))
    }

    private static func entry(_ identifier: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(identifier.rawValue), value: UInt32(clamping: value))
    }

    /// Reads bytes from the other side; streams and delegate hear of what they mean.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        let read = nghttp2_session_mem_recv(pointer, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
        if read < 0 { throw Failure(code: read) }
        if isFlooded { throw Failure(code: Int(NGHTTP2_ERR_FLOODED.rawValue)) }
    }

    /// Appends frames until there are none or `limit` bytes are reached; true when more may be waiting.
    func send(into buffer: inout ByteBuffer, upTo limit: Int) throws(Failure) -> Bool {
        // Exchanged, so that the buffer has one owner, and frames are written to it where it is.
        swap(&target, &buffer)
        targetLimit = limit
        let begin = target.readableBytes
        defer {
            sentBytes += target.readableBytes - begin
            swap(&target, &buffer)
        }
        while target.readableBytes < limit {
            var data: UnsafePointer<UInt8>?
            let length = nghttp2_session_mem_send(pointer, &data)
            if length < 0 { throw Failure(code: length) }
            // Nothing: there are no more frames, or so many DATA frames were written that it pauses.
            guard length > 0, let data else { return target.readableBytes >= limit }
            target.append(UnsafeRawBufferPointer(start: data, count: length))
            if data.isGoAway(length) { failureCode = max(failureCode, data.goAwayCode) }
        }
        return true
    }

    /// Writes a DATA frame of which nghttp2 has the header only: messages are never copied to its memory, where they
    /// would stay as long as the connection.
    func sendData(of stream: HTTP2Stream, header: UnsafePointer<UInt8>, _ length: Int) -> Int32 {
        target.writeWithUnsafeMutableBytes(minimumWritableBytes: HTTP2Session.frameHeader + length) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
            start.update(from: header, count: HTTP2Session.frameHeader)
            stream.takeData(into: start + HTTP2Session.frameHeader, length)
            return HTTP2Session.frameHeader + length
        }
        return target.readableBytes < targetLimit ? 0 : Int32(NGHTTP2_ERR_PAUSE.rawValue)
    }

    /// Frames that wait to be sent, apart from the data of streams.
    var queuedFrames: Int {
        nghttp2_session_get_outbound_queue_size(pointer)
    }

    /// Whether both sides are done with the connection, so that it can be closed.
    var isOver: Bool {
        isFlooded || nghttp2_session_want_read(pointer) == 0 && nghttp2_session_want_write(pointer) == 0
    }
}

extension UnsafePointer<UInt8> {
    /// Whether the frame of so many bytes, whose first nine are its header, is a GOAWAY (RFC 9113, 6.8).
    fileprivate func isGoAway(_ length: Int) -> Bool {
        length >= 17 && self[3] == UInt8(NGHTTP2_GOAWAY.rawValue)
    }

    /// What follows the number of the last stream in it.
    fileprivate var goAwayCode: UInt32 {
        (13..<17).reduce(0) { $0 << 8 | UInt32(self[$1]) }
    }
}

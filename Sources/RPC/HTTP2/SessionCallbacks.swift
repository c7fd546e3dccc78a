internal import CNghttp2

/// The C functions nghttp2 calls. They find the session and the stream and hand over; nothing else happens here.
///
/// There are dozens for every call, so they count no references: the session is held by whoever has it receive or send,
/// and a stream by its connection until nghttp2 has said that it is closed.
struct SessionCallbacks: @unchecked Sendable {
    // Unchecked: written in the initialiser and never again; nghttp2 copies from it.
    let pointer: OpaquePointer?

    static let shared = SessionCallbacks()

    private init() {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        pointer = callbacks
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let header else { return fatal }
            // Nearly all frames are these, and pay for themselves.
            if header.pointee.isPartOfCall { return 0 }
            guard let session = HTTP2Session.of(user) else { return fatal }
            return session.delegate.allows(header.pointee.counted) ? 0 : fatal
        }
        // What a frame of an unknown type holds is skipped; that it came was counted when it began.
        nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, _, _ in
            Int32(NGHTTP2_ERR_CANCEL.rawValue)
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, reason, user in
            guard let session = HTTP2Session.of(user) else { return fatal }
            if let frame, frame.pointee.saysGoodbye { session.isLeft = true }
            // A stream beyond the limit, refused before there is one; faults of open streams count when they close.
            guard reason == NGHTTP2_ERR_REFUSED_STREAM.rawValue else { return 0 }
            return session.delegate.allows(.reset) ? 0 : fatal
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let session = HTTP2Session.of(user), let frame else { return fatal }
            return session.began(frame)
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameLength, value, valueLength, _, user in
            guard let user, let frame else { return fatal }
            return Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { session in
                guard let stream = session.unmanagedStream(frame.pointee.hd.stream_id) else { return 0 }
                let goesOn = stream._withUnsafeGuaranteedRef {
                    $0.receivedHeader(
                        name: UnsafeRawBufferPointer(start: name, count: nameLength),
                        value: UnsafeRawBufferPointer(start: value, count: valueLength))
                }
                return goesOn ? 0 : fatal
            }
        }
        // A field that nghttp2 takes for broken and would reset the stream for, at a client: a value with a control
        // character in it is no reason to throw a status away, unless HTTP/2 says so (RFC 9113, 8.2.1).
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) {
            _, frame, name, nameLength, value, valueLength, _, user in
            guard let session = HTTP2Session.of(user), let frame else { return fatal }
            let name = UnsafeRawBufferPointer(start: name, count: nameLength)
            let value = UnsafeRawBufferPointer(start: value, count: valueLength)
            guard name.isToken, !value.breaksField else { return Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
            let goesOn = session.stream(frame.pointee.hd.stream_id)?.receivedHeader(name: name, value: value)
            return goesOn ?? true ? 0 : fatal
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, length, user in
            guard let user else { return fatal }
            return Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { session in
                // The connection's window opens at once: one stream that isn't read must not stop the others.
                session.consumeConnection(length)
                session.unmanagedStream(id)?._withUnsafeGuaranteedRef {
                    $0.receivedData(UnsafeRawBufferPointer(start: data, count: length))
                }
                return 0
            }
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let user, let frame else { return fatal }
            return Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { $0.received(frame) }
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, length, source, user in
            guard let user, let header, let pointer = source?.pointee.ptr else { return fatal }
            return Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { session in
                Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
                    session.sendData(of: stream, header: header, length)
                }
            }
        }
        // A block that is longer than nghttp2 sends, say: the other side would wait for what never comes. The stream of a
        // request is closed by nghttp2, and one that is being reset already, for a fault of the other side, is not to be
        // counted among those that this side gave up.
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, reason, user in
            guard let session = HTTP2Session.of(user), let frame else { return fatal }
            if reason == NGHTTP2_ERR_STREAM_CLOSING.rawValue || reason == NGHTTP2_ERR_STREAM_CLOSED.rawValue {
                return 0
            }
            let isHeaders = frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue)
            guard isHeaders, frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST else { return 0 }
            if let stream = session.stream(frame.pointee.hd.stream_id) { session.reset(stream, .internalError) }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            guard let session = HTTP2Session.of(user) else { return fatal }
            session.closed(id, code: code)
            return 0
        }
    }

    /// Takes the payload of DATA frames from the stream's `outbound`.
    static func dataProvider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        // Unretained: the connection holds the stream until nghttp2 has said that it is closed.
        nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()),
            read_callback: { session, _, _, length, flags, source, _ in
                guard let session, let flags, let pointer = source?.pointee.ptr else { return Int(fatal) }
                return Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
                    $0.prepareData(session: session, upTo: length, flags: flags)
                }
            })
    }
}

/// Ends the session.
private let fatal = Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)

extension HTTP2Session {
    fileprivate static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2Session? {
        user.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The stream with that number, while it is open.
    fileprivate func unmanagedStream(_ id: Int32) -> Unmanaged<HTTP2Stream>? {
        if id == currentID { return current }
        guard let user = nghttp2_session_get_stream_user_data(pointer, id) else { return nil }
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(user)
        current = stream
        currentID = id
        return stream
    }

    fileprivate func stream(_ id: Int32) -> HTTP2Stream? { unmanagedStream(id)?.takeUnretainedValue() }

    fileprivate func began(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let id = frame.pointee.hd.stream_id
        if frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST { return 0 }
        guard let stream = delegate.streamBegan(id: id) else {
            return Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        stream.id = id
        nghttp2_session_set_stream_user_data(pointer, id, Unmanaged.passUnretained(stream).toOpaque())
        current = Unmanaged.passUnretained(stream)
        currentID = id
        return 0
    }

    fileprivate func received(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let header = frame.pointee.hd
        let endOfStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue:
            if endOfStream { unmanagedStream(header.stream_id)?._withUnsafeGuaranteedRef { $0.receivedEndOfStream() } }
        case NGHTTP2_HEADERS.rawValue:
            unmanagedStream(header.stream_id)?._withUnsafeGuaranteedRef { stream in
                stream.receivedHeaders(endOfStream: endOfStream)
                if endOfStream { stream.receivedEndOfStream() }
            }
        case NGHTTP2_RST_STREAM.rawValue:
            resetID = header.stream_id
        case NGHTTP2_SETTINGS.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 { delegate.settingsReceived() }
        case NGHTTP2_GOAWAY.rawValue:
            delegate.goAwayReceived(forPings: frame.pointee.goaway.isForPings)
        default:
            break
        }
        return 0
    }

    fileprivate func closed(_ id: Int32, code: UInt32) {
        guard let stream = stream(id) else { return }
        current = nil
        currentID = 0
        stream.closed(code: code)
        delegate.streamClosed(stream)
        // A reset of the other side's was counted as a frame. This one nghttp2 has made, for what the other side did
        // wrong on the stream (CVE-2025-8671).
        let isOthersFault = code != HTTP2ErrorCode.none.rawValue && id != resetID && !stream.isResetHere
        guard isOthersFault else { return }
        delegate.streamWasAtFault(stream, code: code)
        if !delegate.allows(.reset) { isFlooded = true }
    }
}

extension nghttp2_frame {
    /// Whether it is a GOAWAY that finds no fault.
    fileprivate var saysGoodbye: Bool {
        hd.type == UInt8(NGHTTP2_GOAWAY.rawValue) && hd.stream_id == 0
            && goaway.error_code == NGHTTP2_NO_ERROR.rawValue
    }
}

extension nghttp2_goaway {
    private static let tooManyPings: StaticString = "too_many_pings"

    /// Whether it says that there were too many pings (gRFC A8).
    fileprivate var isForPings: Bool {
        error_code == NGHTTP2_ENHANCE_YOUR_CALM.rawValue
            && UnsafeRawBufferPointer(start: opaque_data, count: opaque_data_len) == Self.tooManyPings
    }
}

extension nghttp2_frame_hd {
    private func has(_ flag: nghttp2_flag) -> Bool { flags & UInt8(flag.rawValue) != 0 }

    /// Whether the frame brings something of a call: headers, bytes of a body, or its end.
    fileprivate var isPartOfCall: Bool {
        switch UInt32(type) {
        case NGHTTP2_HEADERS.rawValue: true
        // A frame of at most 256 bytes may be all padding (RFC 9113, 6.1).
        case NGHTTP2_DATA.rawValue:
            length > (has(NGHTTP2_FLAG_PADDED) ? 256 : 0) || has(NGHTTP2_FLAG_END_STREAM)
        default: false
        }
    }

    /// How it is counted when it isn't.
    fileprivate var counted: HTTP2Session.CountedFrame {
        switch UInt32(type) {
        case NGHTTP2_RST_STREAM.rawValue: .reset
        case NGHTTP2_PING.rawValue where !has(NGHTTP2_FLAG_ACK), NGHTTP2_DATA.rawValue: .accompanying
        case NGHTTP2_WINDOW_UPDATE.rawValue: .windowUpdate
        // Six bytes an entry, and each may have every open stream looked at.
        case NGHTTP2_SETTINGS.rawValue: .control(cost: max(1, length / 6))
        default: .control(cost: 1)
        }
    }
}

internal import CNghttp2

extension HTTP2Session {
    /// Response headers for a stream whose messages follow from its `outbound`.
    func submitResponse(_ stream: HTTP2Stream) {
        var provider = SessionCallbacks.dataProvider(for: stream)
        nghttp2_submit_response(
            pointer, stream.id, StaticHeaders.response.fields, StaticHeaders.response.count, &provider)
    }

    /// A response that is headers alone (gRPC's "Trailers-Only", or a refusal in plain HTTP).
    func submitHeadersOnly(_ stream: HTTP2Stream, prefix: StaticHeaders?, _ headers: Metadata) {
        _ = HeaderBlock.withFields(prefix: prefix, headers) { fields, count in
            nghttp2_submit_response(pointer, stream.id, fields, count, nil)
        }
    }

    /// Opens a stream with a request whose messages follow from its `outbound`; false when no more can be opened. Its
    /// headers go in the order of the parameters.
    func submitRequest(
        _ stream: HTTP2Stream, _ pseudoHeaders: StaticHeaders?, _ path: Metadata, _ headers: StaticHeaders?,
        _ metadata: Metadata
    ) -> Bool {
        var provider = SessionCallbacks.dataProvider(for: stream)
        let user = Unmanaged.passUnretained(stream).toOpaque()
        let id = HeaderBlock.withFields(prefix: pseudoHeaders, path, headers, metadata) { fields, count in
            nghttp2_submit_request(pointer, nil, fields, count, &provider, user)
        }
        guard id > 0 else { return false }
        stream.id = id
        return true
    }

    /// Lets the stream send what was appended to its `outbound`.
    func resume(_ stream: HTTP2Stream) {
        stream.resume(session: pointer)
    }

    func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        stream.isResetHere = true
        nghttp2_submit_rst_stream(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
    }

    /// Resets a stream for what the other side did wrong on it, which counts as if nghttp2 had found it.
    func resetForFault(_ stream: HTTP2Stream) {
        nghttp2_submit_rst_stream(
            pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, HTTP2ErrorCode.protocolError.rawValue)
    }

    /// As ``reset(_:_:)``, unless the stream is over.
    func resetIfOpen(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        if nghttp2_session_get_stream_user_data(pointer, stream.id) != nil { reset(stream, code) }
    }

    /// Bytes were taken off the connection: its window may open again.
    func consumeConnection(_ count: Int) {
        nghttp2_session_consume_connection(pointer, count)
    }

    /// Bytes of one stream were taken: its window may open again.
    func consumeStream(_ stream: HTTP2Stream, _ count: Int) {
        nghttp2_session_consume_stream(pointer, stream.id, count)
    }

    /// First part of a graceful end: "no more streams soon".
    func submitShutdownNotice() {
        nghttp2_submit_shutdown_notice(pointer)
    }

    /// Second part: streams after the last one seen here are not served.
    func submitGoAway() {
        let last = nghttp2_session_get_last_proc_stream_id(pointer)
        nghttp2_submit_goaway(
            pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
    }

    /// The number that the next stream of this side will have. It may be set to a later one of this side's.
    var nextStreamID: Int {
        get { Int(nghttp2_session_get_next_stream_id(pointer)) }
        set { nghttp2_session_set_next_stream_id(pointer, Int32(clamping: newValue)) }
    }

    /// How many streams the other side lets this one have open.
    var remoteMaxConcurrentStreams: Int {
        Int(nghttp2_session_get_remote_settings(pointer, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }
}

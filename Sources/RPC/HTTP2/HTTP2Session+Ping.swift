internal import CNghttp2

extension HTTP2Session {
    /// Asks the other side for a sign of life, which nghttp2 gives by itself (RFC 9113, 6.7).
    func submitPing() {
        nghttp2_submit_ping(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }
}

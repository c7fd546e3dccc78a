internal import CNghttp2

extension HTTP2Session {
    /// As ``submitResponse(_:)``, with more headers than those of every response.
    func submitResponse(_ stream: HTTP2Stream, _ headers: Metadata) {
        var provider = SessionCallbacks.dataProvider(for: stream)
        _ = HeaderBlock.withFields(prefix: .response, headers) { fields, count in
            nghttp2_submit_response(pointer, stream.id, fields, count, &provider)
        }
    }
}

internal import CNghttp2
internal import NIOCore

/// One HTTP/2 stream, either side. The session calls its methods as frames arrive and reads `outbound` as the window
/// allows.
///
/// Everything in it belongs to the event loop of its connection, which is its only guard.
class HTTP2Stream: @unchecked Sendable {
    // Unchecked: touched on the connection's event loop alone; subclasses say what else they share and how.
    //
    // Properties that are changed for every call are `@exclusivity(unchecked)` here and in the classes around it: the
    // checks cost a tenth of a call, and the values' own methods, all of them structs without callbacks to their
    // owners, can't reach the property again while they change it.

    /// What follows the last byte of `outbound`.
    enum OutboundEnd {
        /// END_STREAM on the last DATA frame.
        case endOfStream
        /// Trailers that say `grpc-status: 0` and no more.
        case statusOK
        case trailers(Metadata)
    }

    /// The stream's number; 0 until it has one.
    final var id: Int32 = 0
    /// Its place in the connection's list of streams.
    final var position = 0
    @exclusivity(unchecked) final var outbound = OutboundQueue()
    /// Nil as long as more may be appended to `outbound`.
    final var outboundEnd: OutboundEnd?
    /// When ``deadlinePassed()`` is due.
    final var deadline: NIODeadline?
    /// Whether the session stopped asking for data because there was none.
    fileprivate(set) final var isDeferred = false
    /// Whether this side has reset it of its own accord.
    final var isResetHere = false

    /// One name and value of a header block. False ends the connection: the block is too long to be read to its end.
    func receivedHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool { true }
    /// A header block is complete.
    func receivedHeaders(endOfStream: Bool) {}
    func receivedData(_ bytes: UnsafeRawBufferPointer) {}
    /// The other side has sent all it will.
    func receivedEndOfStream() {}
    /// The stream is over; `code` is HTTP/2's error code, 0 for a regular end.
    func closed(code: UInt32) {}
    func deadlinePassed() {}
    /// Bytes of `outbound` were sent.
    func outboundDrained() {}
}

extension HTTP2Stream {
    /// nghttp2 asks how many bytes the next DATA frame carries. They go straight to what is written to the socket
    /// (``takeData(into:_:)``), so that no copy of them stays in nghttp2's memory.
    final func prepareData(session: OpaquePointer, upTo length: Int, flags: UnsafeMutablePointer<UInt32>) -> Int {
        let waiting = outbound.count
        let count = min(waiting, length)
        if count == waiting {
            switch outboundEnd {
            case .none:
                if count == 0 {
                    isDeferred = true
                    return Int(NGHTTP2_ERR_DEFERRED.rawValue)
                }
            case .endOfStream:
                flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            case .statusOK, .trailers:
                flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                submitTrailers(session: session)
            }
        }
        // A frame without data may not be sent at all, and then nothing is taken.
        if count == 0 {
            outboundDrained()
        } else {
            flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        }
        return count
    }

    /// The payload of the DATA frame that was prepared.
    final func takeData(into target: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let taken = outbound.take(into: target, upTo: count)
        precondition(taken == count, "a frame of \(count) bytes was prepared, and \(taken) were there")
        outboundDrained()
    }

    /// Something was appended or the end was set: the session may ask again.
    final func resume(session: OpaquePointer) {
        guard isDeferred else { return }
        isDeferred = false
        switch outboundEnd {
        case .statusOK, .trailers:
            // Asked for more data, nghttp2 would send a DATA frame without any before the trailers.
            guard outbound.isEmpty else { break }
            submitTrailers(session: session)
            return outboundDrained()
        case .endOfStream, .none: break
        }
        nghttp2_session_resume_data(session, id)
    }

    private func submitTrailers(session: OpaquePointer) {
        switch outboundEnd {
        case .statusOK:
            nghttp2_submit_trailer(session, id, StaticHeaders.statusOK.fields, StaticHeaders.statusOK.count)
        case .trailers(let trailers):
            _ = HeaderBlock.withFields(prefix: nil, trailers) { fields, count in
                nghttp2_submit_trailer(session, id, fields, count)
            }
        case .endOfStream, .none: break
        }
    }
}

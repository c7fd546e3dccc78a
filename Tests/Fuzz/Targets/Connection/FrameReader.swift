/// What one end has written, looked at as frames. Whatever the other end does, its own side of the protocol is kept.
struct FrameReader {
    private var pending: [UInt8] = []
    private var isFirst = true
    private(set) var bytes = 0

    /// - Throws: ``FuzzFailure`` when it isn't a sequence of frames that may be sent.
    mutating func append(_ written: some Collection<UInt8>) throws(FuzzFailure) {
        bytes += written.count
        pending += written
        var start = 0
        while pending.count - start >= 9 {
            let length = Int(pending[start]) << 16 | Int(pending[start + 1]) << 8 | Int(pending[start + 2])
            guard pending.count - start >= 9 + length else { break }
            try frame(kind: pending[start + 3], stream: pending[start + 5..<start + 9])
            start += 9 + length
        }
        pending.removeFirst(start)
    }

    private mutating func frame(kind: UInt8, stream: ArraySlice<UInt8>) throws(FuzzFailure) {
        guard let kind = FrameWriter.Kind(rawValue: kind) else {
            throw FuzzFailure(description: "a frame of the unknown type \(kind) is sent")
        }
        if isFirst { try require(kind == .settings, "the first frame is no SETTINGS") }
        isFirst = false
        let isOfConnection = stream.allSatisfy { $0 == 0 }
        switch kind {
        case .data, .headers, .reset, .continuation:
            try require(!isOfConnection, "\(kind) is sent on no stream")
        case .settings, .ping, .goAway:
            try require(isOfConnection, "\(kind) is sent on a stream")
        case .priority, .pushPromise:
            throw FuzzFailure(description: "\(kind) is sent")
        case .windowUpdate: break
        }
    }
}

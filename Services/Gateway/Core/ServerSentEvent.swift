package import Privacy

/// The text of server-sent events (HTML Living Standard, section 9.2).
package enum ServerSentEvent {
    /// One event: `id`, `event` and `data` lines and an empty line.
    ///
    /// - Parameters:
    ///   - id: what the browser sends back as `Last-Event-ID`, without line breaks; none leaves the browser's as it is.
    ///   - data: a line break in it begins another `data` line, as the format wants it.
    package static func encoded(id: String?, name: String, data: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(data.count + name.utf8.count + 48)
        if let id { out += Array("id: \(id)\n".utf8) }
        out += Array("event: \(name)\ndata: ".utf8)
        for (index, byte) in data.enumerated() {
            switch byte {
            case newline: out += Array("\ndata: ".utf8)
            case carriageReturn where index + 1 < data.count && data[index + 1] == newline: continue
            case carriageReturn: out += Array("\ndata: ".utf8)
            default: out.append(byte)
            }
        }
        out += [newline, newline]
        return out
    }

    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// How long the browser waits before it connects again.
    package static func retry(_ wait: Duration) -> [UInt8] {
        let (seconds, attoseconds) = wait.components
        return Array("retry: \(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)\n\n".utf8)
    }

    /// A comment, which browsers ignore, so that nobody in between takes the connection for dead.
    package static let heartbeat: [UInt8] = Array(":\n\n".utf8)

    /// Where a follower goes on.
    package enum ResumePoint: Sendable, Equatable {
        case beginning
        /// After what was last seen. ``FeedPosition/unknown`` if that can't be read.
        case after(FeedPosition)
    }

    /// From `Last-Event-ID`, or else from the query.
    ///
    /// A browser sends the former by itself and can't be asked for a better one: what can't be read gets it everything.
    /// - Returns: nil if what the query says is no position.
    package static func resumePoint(lastEventID: String?, after: String?) -> ResumePoint? {
        if let lastEventID, !lastEventID.isEmpty { return .after(FeedPosition(lastEventID) ?? .unknown) }
        guard let after, !after.isEmpty else { return .beginning }
        return FeedPosition(after).map(ResumePoint.after)
    }
}

internal import Synchronization

/// Whether the responses of one call are compressed: what its handler wants, as far as the caller accepts it and the
/// response headers have announced it.
struct ResponseCompression: ~Copyable, Sendable {
    enum Choice {
        /// The caller has not said that it reads gzip.
        case notAccepted
        case off
        case on
    }

    private static let isAccepted: UInt8 = 1
    /// The handler wants it now.
    private static let isOn: UInt8 = 2
    /// It was wanted before the headers were sent, so they say that messages may be compressed.
    private static let isAnnounced: UInt8 = 4
    private static let areHeadersSent: UInt8 = 8

    private let bits: Atomic<UInt8>

    init(_ choice: Choice) {
        switch choice {
        case .notAccepted: bits = Atomic(0)
        case .off: bits = Atomic(ResponseCompression.isAccepted)
        case .on:
            bits = Atomic(ResponseCompression.isAccepted | ResponseCompression.isOn | ResponseCompression.isAnnounced)
        }
    }

    private func has(_ bit: UInt8) -> Bool { bits.load(ordering: .relaxed) & bit != 0 }

    /// Whether a message that is sent now is to be compressed.
    var isOn: Bool { has(ResponseCompression.isOn) }

    /// Whether the headers say that messages may be compressed.
    var isAnnounced: Bool { has(ResponseCompression.isAnnounced) }

    func set(_ on: Bool) {
        var old = bits.load(ordering: .relaxed)
        while true {
            var new = old & ~ResponseCompression.isOn
            if on, old & ResponseCompression.isAccepted != 0 {
                // Headers that were sent without it can't announce it any more.
                if old & ResponseCompression.areHeadersSent == 0 { new |= ResponseCompression.isAnnounced }
                if new & ResponseCompression.isAnnounced != 0 { new |= ResponseCompression.isOn }
            }
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }

    /// The headers of a stream are sent now: whether they announce gzip is settled.
    func headersAreSent() {
        if has(ResponseCompression.isAccepted) {
            bits.bitwiseOr(ResponseCompression.areHeadersSent, ordering: .relaxed)
        }
    }
}

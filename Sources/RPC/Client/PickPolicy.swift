/// Which of a channel's targets a call goes to.
public enum PickPolicy: Sendable, Hashable {
    /// The first in the list that can be reached. Calls stay there while it lasts, and go back to an earlier one when
    /// that has been up again for a while.
    case pickFirst
    /// Every one that can be reached, in turn.
    case roundRobin
    /// The one that the call's ``CallOptions/routingKey`` belongs to, the same for every client with the same targets in
    /// whatever order (rendezvous hashing); when it can't be reached, the next that the key prefers. A target that
    /// comes or goes moves its own keys alone. Calls without a key go round.
    case byKey
}

/// A hash that is the same in every process and version: FNV-1a over the bytes, and the finalizer of SplitMix64, so that
/// similar keys part ways.
struct StableHash: Sendable {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The hash of what there is and the text after it.
    func adding(_ text: String) -> StableHash {
        var next = self
        for byte in text.utf8 { next.add(byte) }
        // No byte of UTF-8: it makes a difference where one text ends and the next begins.
        next.add(0xff)
        return next
    }

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    var value: UInt64 {
        var hash = state
        hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
        return hash ^ hash >> 31
    }
}

/// Names one life of a store. Sequences can be issued again after a restore or a failover, so a new epoch is drawn then, and
/// a position of another epoch means nothing any more.
public struct FeedEpoch: Sendable, Hashable {
    /// 16 of [0-9a-f].
    public let text: String

    /// - Returns: nil unless the text is 16 of [0-9a-f].
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.text = String(text)
    }

    private init(bits: UInt64) {
        let digits = String(bits, radix: 16)
        text = String(repeating: "0", count: Self.length - digits.count) + digits
    }

    /// Draws a new one.
    public static func random() -> FeedEpoch { FeedEpoch(bits: .random(in: 1 ... .max)) }

    /// That of no store.
    public static let none = FeedEpoch(bits: 0)

    fileprivate static let length = 16

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// A position in a live feed: opaque to followers, who give back the latest that they saw.
public struct FeedPosition: Sendable, Hashable {
    public let epoch: FeedEpoch
    /// Of the last event seen; from 0.
    public let sequence: Int64

    public init(epoch: FeedEpoch, sequence: Int64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    /// A well-formed position that no store has issued: a follower that gives it gets everything.
    public static let unknown = FeedPosition(epoch: .none, sequence: 0)

    /// Reads what ``text`` has written, and nothing else.
    public init?(_ text: String) {
        let parts = text.utf8.count <= Self.longest ? text.split(separator: "-", omittingEmptySubsequences: false) : []
        guard parts.count == 2, let epoch = FeedEpoch(parts[0]), let sequence = Int64(parts[1]), sequence >= 0,
            // One writing for each: no sign, no zeros in front.
            String(sequence) == parts[1]
        else { return nil }
        self.init(epoch: epoch, sequence: sequence)
    }

    /// At most 36 of [0-9a-f-].
    public var text: String { "\(epoch.text)-\(sequence)" }

    private static let longest = FeedEpoch.length + 1 + 19
}

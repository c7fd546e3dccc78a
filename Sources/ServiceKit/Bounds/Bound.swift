public import RPC

/// How many of something there may be at the same time.
public struct Bound: Sendable, Hashable {
    /// What it is called in errors, metrics and READMEs, such as "exports-of-organisation".
    public let name: String
    public var most: Int
    /// The most for one who wants another once the places are crowded (``Places``); at most `most`.
    public var whenCrowded: Int

    /// - Parameter whenCrowded: an eighth of `most` unless said otherwise, and at least one.
    public init(_ name: String, most: Int, whenCrowded: Int? = nil) {
        self.name = name
        self.most = most
        self.whenCrowded = min(most, max(1, whenCrowded ?? most / 8))
    }
}

/// A bound does not let another one in.
public struct BoundReached: Error, Sendable, Equatable {
    /// The bound's name.
    public let bound: String

    public init(_ bound: Bound) { self.bound = bound.name }
}

extension RPCError {
    /// The key in ``RPCError/metadata`` that says which bound was reached.
    public static let boundKey = "bound"

    /// RESOURCE_EXHAUSTED, naming the bound that was reached.
    public init(_ reached: BoundReached, _ message: String, reason: String, retryAfter: Duration? = nil) {
        self.init(
            .resourceExhausted, message, reason: reason, metadata: [Self.boundKey: reached.bound],
            retryAfter: retryAfter)
    }
}

/// Why something could not be sealed, opened or read. Holds no content, no key and no identifier, so it may be logged.
public struct PrivacyError: Error, Sendable, Equatable {
    public enum Code: Sendable, Hashable {
        /// A key is not exactly 32 bytes.
        case invalidKey
        /// The input can't have come from this module: too short, wrong alphabet, wrong framing.
        case malformed
        /// The input's first byte names a format that this build does not know.
        case unsupportedFormat
        /// The tag does not match: another key, another place, or changed bytes. Which one can't be told apart.
        case notAuthentic
        /// The input is longer than its bound.
        case tooLong
    }

    public var code: Code
    /// A fixed sentence for people who read logs.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension PrivacyError: CustomStringConvertible {
    public var description: String { message }
}

/// Why keys can't be kept, found or destroyed. Holds no key and no name of one, so it may be logged.
public struct KeySlotError: Error, Sendable, Equatable {
    public enum Code: Sendable, Hashable {
        /// The disk has no room for another extent of slots. Destroying a key needs none.
        case full
        /// Another process, or another opening in this one, has the folder.
        case locked
        /// A file is not what this module writes, or of a newer version.
        case malformed
        /// Slots are wrapped under a key that is not in the wrapping file, or can't be opened with what was given.
        case wrappingKeyMissing
        /// An overwritten slot did not read back as overwritten.
        case notOverwritten
        /// RLIMIT_MEMLOCK leaves no room, or the bound of secrets in memory is reached.
        case memoryNotLocked
        /// Closed, or closing.
        case closed
        /// Input or output failed.
        case inputOutput
    }

    public var code: Code
    /// A fixed sentence for people who read logs.
    public var message: String
    /// The system's error number, if there was one.
    public var errno: Int32?

    public init(_ code: Code, _ message: String, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }
}

extension KeySlotError: CustomStringConvertible {
    public var description: String { errno.map { "\(message) (errno \($0))" } ?? message }
}

/// Where a server listens, as a client names it (gRPC, `naming.md`): `unix:PATH`, `unix:///ABSOLUTE/PATH` or
/// `unix-abstract:NAME`. Nothing in it is an escape: a `%` is a `%`.
public struct RPCTarget: Sendable, Hashable, CustomStringConvertible {
    /// A text that names no target.
    public struct Malformed: Error, CustomStringConvertible {
        /// What is wrong with it, as a phrase that can follow "target: ".
        public let reason: String

        public var description: String { "target: \(reason)" }
    }

    enum Address: Sendable, Hashable {
        case path(String)
        /// A name in Linux's abstract namespace (unix(7)), without its leading NUL.
        case abstract(String)
    }

    /// The longest path or name, in bytes: `sun_path` has 108, with a NUL after the one or before the other.
    private static let longest = 107

    let address: Address

    /// Throws ``Malformed``, which says what is wrong with the text.
    public init(_ text: String) throws(Malformed) {
        if let name = RPCTarget.rest(of: text, after: "unix-abstract:") {
            try RPCTarget.check(name, "name")
            address = .abstract(name)
        } else if let path = RPCTarget.rest(of: text, after: "unix://") {
            guard path.hasPrefix("/") else {
                throw Malformed(reason: "has an authority: an absolute path is written unix:///PATH")
            }
            try RPCTarget.check(path, "path")
            address = .path(path)
        } else if let path = RPCTarget.rest(of: text, after: "unix:") {
            try RPCTarget.check(path, "path")
            address = .path(path)
        } else {
            throw Malformed(reason: "is neither unix:PATH nor unix-abstract:NAME")
        }
    }

    private init(_ address: Address) {
        self.address = address
    }

    /// A socket file. A path that is too long is found out by connecting to it.
    public static func path(_ path: String) -> RPCTarget { RPCTarget(.path(path)) }

    /// A name in the abstract namespace.
    public static func abstract(_ name: String) -> RPCTarget { RPCTarget(.abstract(name)) }

    /// As it can be parsed again.
    public var description: String {
        switch address {
        case .path(let path): "unix:" + path
        case .abstract(let name): "unix-abstract:" + name
        }
    }

    private static func rest(of text: String, after scheme: String) -> String? {
        text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : nil
    }

    private static func check(_ text: String, _ what: String) throws(Malformed) {
        guard !text.isEmpty else { throw Malformed(reason: "has no \(what)") }
        guard text.utf8.count <= longest else {
            throw Malformed(reason: "has a \(what) of more than \(longest) bytes")
        }
        guard !text.utf8.contains(0) else { throw Malformed(reason: "has a NUL in its \(what)") }
    }
}

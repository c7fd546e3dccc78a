internal import Foundation

/// Where browsers reach a site: a scheme, a host and perhaps a port (RFC 6454), such as `https://samtal.example.org`.
/// Paths are hung right on it.
public struct WebOrigin: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is no such address, as it follows the text: "has no host".
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    public let scheme: String
    /// In lower case; an IPv6 address within brackets.
    public let host: String
    /// Nil for the scheme's own.
    public let port: Int?

    public var isSecure: Bool { scheme == "https" }

    public var description: String {
        "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "")
    }

    /// Reads an address as a browser does (RFC 3986). A slash after the host may be there.
    public init(_ text: String) throws(Problem) {
        guard let separator = text.range(of: "://") else { throw Self.problem("has no http:// or https:// before it") }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw Self.problem("has something else than http:// or https:// before it")
        }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { !"/?#\\".contains($0) }
        guard !authority.isEmpty else { throw Self.problem("has no host") }
        let path = rest[authority.endIndex...]
        guard path.isEmpty || path == "/" else { throw Self.problem("has something after its host") }
        guard !authority.contains("@") else { throw Self.problem("names a user") }
        let (host, port) = try Self.split(authority)
        guard !host.isEmpty else { throw Self.problem("has no host") }
        // The library for what is left: whether all of it together is a URL.
        guard Self.isHost(host), URLComponents(string: "\(scheme)://\(host)") != nil else {
            throw Self.problem("has no valid host; one with letters beyond a to z is written in its xn-- form")
        }
        self.scheme = scheme
        self.host = host.lowercased()
        let usual = scheme == "https" ? 443 : 80
        self.port = port == usual ? nil : port
    }

    private static func split(_ authority: Substring) throws(Problem) -> (host: String, port: Int?) {
        let end = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
        guard let colon = authority[end...].lastIndex(of: ":") else { return (String(authority), nil) }
        let digits = authority[authority.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(digits), port > 0
        else { throw problem("has a port that is no number from 1 to 65535") }
        return (String(authority[..<colon]), Int(port))
    }

    /// A name by RFC 1123, section 2.1, an IPv4 address, or an IPv6 address within brackets.
    private static func isHost(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            var address = in6_addr()
            return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address) == 1
        }
        guard host.utf8.count <= 253 else { return false }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if let last = labels.last, !last.isEmpty, last.utf8.allSatisfy(isDigit) {
            var address = in_addr()
            return inet_pton(AF_INET, host, &address) == 1
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    isDigit(byte) || byte == UInt8(ascii: "-")
                        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func problem(_ text: String) -> Problem { Problem(description: text) }
}

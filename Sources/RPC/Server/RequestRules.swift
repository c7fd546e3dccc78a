/// Which of HTTP/2's rules for requests one has broken (RFC 9113, 8.1 to 8.3): an error of its stream, and of no other.
enum RequestFault: String {
    /// One that is unknown, comes twice, too late or in trailers, has no such value, or is missing.
    case pseudoHeader = "pseudo-header"
    case name = "field name"
    case value = "field value"
    case connectionHeader = "connection-specific field"
    case te
    case contentLength = "content-length"
    /// Headers after the first that don't end the stream.
    case trailers
}

/// What HTTP/2's rules ask of one request, apart from single names and values. Free of I/O.
///
/// `:authority` may be anything, or be missing: it means nothing on a Unix socket, and callers write the socket's path,
/// in one way or another.
struct RequestRules {
    enum PseudoHeader: UInt8 {
        case method = 1
        case scheme = 2
        case path = 4
        case authority = 8
    }

    /// A field has come that is none of them.
    var isPastPseudoHeaders = false
    /// The pseudo-headers that have come.
    private var seen: UInt8 = 0
    private var hasHost = false
    private(set) var isPost = false
    private var isConnect = false
    private var isOptions = false
    private var isHTTP = false
    private var isAbsolute = true
    private var isAsterisk = false
    private var length: Int64 = -1
    private var received: Int64 = 0

    private static let request =
        PseudoHeader.method.rawValue | PseudoHeader.scheme.rawValue | PseudoHeader.path.rawValue

    /// Nil for one that is unknown, comes too late or twice, or has a value that it can't have.
    mutating func takePseudoHeader(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) -> PseudoHeader? {
        let taken: PseudoHeader
        if name == ":path" {
            taken = .path
        } else if name == ":method" {
            taken = .method
            isPost = value == "POST"
            if !isPost, !takeMethod(value) { return nil }
        } else if name == ":scheme" {
            taken = .scheme
            isHTTP = value == "http" || value == "https"
            if !isHTTP, !takeScheme(value) { return nil }
        } else if name == ":authority" {
            taken = .authority
        } else {
            return nil
        }
        guard !isPastPseudoHeaders, seen & taken.rawValue == 0 else { return nil }
        seen |= taken.rawValue
        return taken
    }

    private mutating func takeMethod(_ value: UnsafeRawBufferPointer) -> Bool {
        isConnect = value == "CONNECT"
        isOptions = value == "OPTIONS"
        return value.isToken
    }

    /// RFC 3986, 3.1, and in any case.
    private mutating func takeScheme(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let first = value.first, first.isLetter else { return false }
        isHTTP = value.lowercasedEquals("http") || value.lowercasedEquals("https")
        return value.allSatisfy {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
    }

    /// A path that names no method; false for what can't be one (RFC 9113, 8.3.1).
    mutating func takeUnknownPath(_ path: UnsafeRawBufferPointer) -> Bool {
        isAbsolute = path.first == UInt8(ascii: "/")
        isAsterisk = path == "*"
        return !path.isEmpty && path.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// False when there was one before.
    mutating func takeHost() -> Bool {
        defer { hasHost = true }
        return !hasHost
    }

    /// Whether the header block, which is complete, has the pseudo-headers that it needs.
    var areSatisfied: Bool {
        if isConnect { return seen == PseudoHeader.method.rawValue | PseudoHeader.authority.rawValue }
        guard seen & RequestRules.request == RequestRules.request else { return false }
        return isAbsolute || !isHTTP || isOptions && isAsterisk
    }

    // MARK: The length of the body

    /// The body's length (RFC 9110, 8.6); false when it is none, or was said before.
    mutating func takeLength(_ value: UnsafeRawBufferPointer) -> Bool {
        // Nineteen digits may be more than there can be: the sum tells.
        guard length < 0, (1...19).contains(value.count), value.allSatisfy(\.isDigit) else { return false }
        var sum: Int64 = 0
        for digit in value {
            let (tens, isTooLarge) = sum.multipliedReportingOverflow(by: 10)
            let (next, overflows) = tens.addingReportingOverflow(Int64(digit & 0x0F))
            if isTooLarge || overflows { return false }
            sum = next
        }
        length = sum
        return true
    }

    var hasLength: Bool { length >= 0 }

    mutating func exceedsLength(_ count: Int) -> Bool {
        received += Int64(count)
        return received > length
    }

    var missesLength: Bool { received != length }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}

extension UnsafeRawBufferPointer {
    /// Whether it is that text in lower case, or in any other.
    fileprivate func lowercasedEquals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return zip(self, UnsafeRawBufferPointer(start: text.utf8Start, count: count)).allSatisfy { byte, letter in
            byte == letter || byte | 0x20 == letter && byte.isLetter
        }
    }

    /// Whether it is what `te` may say in HTTP/2.
    @inline(__always)
    var isTrailers: Bool { self == "trailers" || lowercasedEquals("trailers") }

    /// Whether it is the name of a field that is about a connection of HTTP/1.1's (RFC 9113, 8.2.2).
    @inline(__always)
    var isOfConnection: Bool {
        switch first {
        case UInt8(ascii: "c"): self == "connection"
        case UInt8(ascii: "k"): self == "keep-alive"
        case UInt8(ascii: "p"): self == "proxy-connection"
        case UInt8(ascii: "t"): self == "transfer-encoding"
        case UInt8(ascii: "u"): self == "upgrade"
        default: false
        }
    }
}

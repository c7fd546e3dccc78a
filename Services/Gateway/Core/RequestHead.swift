/// The first part of a request, looked at before anything is done about it (RFC 9112, section 3, and RFC 9110).
package struct RequestHead: Sendable, Equatable {
    package var method: String
    /// As it came.
    package var target: String
    package var isHTTP10: Bool
    /// The values of every `Host` there is.
    package var hosts: [String] = []
    /// The values of `Transfer-Encoding` and `Expect`, joined by commas; empty without.
    package var transferEncoding = ""
    package var expectation = ""
    package var hasContentLength = false

    package init(method: String, target: String, isHTTP10: Bool = false, hosts: [String] = []) {
        self.method = method
        self.target = target
        self.isHTTP10 = isHTTP10
        self.hosts = hosts
    }

    /// What the request is for, once it has been found right.
    package struct Accepted: Sendable, Equatable {
        /// The path and perhaps a query, or `*`.
        package var target: String
        /// The host of a target in absolute form, which counts instead of `Host`.
        package var authority: String?
        /// The client waits for an interim answer before it sends the body.
        package var expectsContinue: Bool
    }

    /// Methods that some path has or might have; any other is implemented nowhere here.
    package static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// Whether bytes that the parser doesn't take for a request may begin one, with a method that it doesn't know.
    package static func beginsWithUnknownMethod(_ bytes: [UInt8]) -> Bool {
        guard let end = bytes.firstIndex(of: UInt8(ascii: " ")), end > 0 else { return false }
        let method = bytes[..<end]
        return method.allSatisfy(FieldReader.isTokenByte) && !methods.contains(String(decoding: method, as: UTF8.self))
    }

    /// Checks the head in the order that faults are told in: what nothing can be made of comes first.
    package func accepted(maximumTargetBytes: Int) throws(RequestFault) -> Accepted {
        try checkHost()
        guard Self.methods.contains(method) else { throw .methodUnknown }
        let (target, authority) = try split(maximumTargetBytes: maximumTargetBytes)
        let hasChunks = try checkFraming()
        return Accepted(
            target: target, authority: authority,
            expectsContinue: try checkExpectation() && (hasChunks || hasContentLength))
    }

    /// RFC 9112, section 3.2: none in HTTP/1.1, several, or one that isn't valid is answered 400.
    private func checkHost() throws(RequestFault) {
        guard let host = hosts.first else {
            if isHTTP10 { return }
            throw .hostMissing
        }
        guard hosts.count == 1 else { throw .hostRepeated }
        guard Self.isAuthority(host.trimmingSpace()) else { throw .hostMalformed }
    }

    /// The target in origin form, with the authority that an absolute one has (RFC 9112, section 3.2).
    private func split(maximumTargetBytes: Int) throws(RequestFault) -> (target: String, authority: String?) {
        guard target.utf8.count <= maximumTargetBytes else { throw .targetTooLong }
        if target == "*" {
            guard method == "OPTIONS" else { throw .targetMalformed }
            return (target, nil)
        }
        guard target.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw .targetMalformed
        }
        var origin = target
        var authority: String?
        if !target.hasPrefix("/") {
            let lowercased = target.lowercased()
            guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else {
                throw .targetMalformed
            }
            let rest = target.dropFirst(scheme.count)
            let host = rest.prefix { $0 != "/" && $0 != "?" }
            guard Self.isAuthority(String(host)) else { throw .targetMalformed }
            authority = String(host)
            let path = rest.dropFirst(host.count)
            origin = path.hasPrefix("/") ? String(path) : "/\(path)"
        }
        let halves = origin.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard URLText.decoded(halves[0]) != nil, halves.count == 1 || URLText.isEscaped(halves[1]) else {
            throw .targetMalformed
        }
        return (origin, authority)
    }

    /// Whether the body comes in chunks (RFC 9112, sections 6.1 and 6.3).
    private func checkFraming() throws(RequestFault) -> Bool {
        guard !transferEncoding.isEmpty else { return false }
        let codings = transferEncoding.split(separator: ",").map { $0.trimmingSpace().lowercased() }
        guard !hasContentLength, !isHTTP10 else { throw .framingAmbiguous }
        guard codings.allSatisfy({ $0 == "chunked" }) else {
            throw codings.last == "chunked" ? .transferCodingUnknown : .framingAmbiguous
        }
        guard codings.count == 1 else { throw .framingAmbiguous }
        return true
    }

    /// Whether an interim answer is waited for (RFC 9110, section 10.1.1). In HTTP/1.0 it can't be.
    private func checkExpectation() throws(RequestFault) -> Bool {
        guard !expectation.isEmpty, !isHTTP10 else { return false }
        let expectations = expectation.split(separator: ",").map { $0.trimmingSpace().lowercased() }
        guard expectations.allSatisfy({ $0 == "100-continue" }) else { throw .expectationUnknown }
        return true
    }

    /// `host` or `host:port`, without a user (RFC 3986, section 3.2; RFC 9110, section 4.2: the host isn't empty).
    static func isAuthority(_ text: String) -> Bool {
        var host = Substring(text)
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let literal = host[host.index(after: host.startIndex)..<end]
            host = host[host.index(after: end)...]
            guard !literal.isEmpty, literal.utf8.allSatisfy(isLiteralByte) else { return false }
            return host.isEmpty || isPort(host)
        }
        let name = host.prefix { $0 != ":" }
        let port = host.dropFirst(name.count)
        guard !name.isEmpty, name.utf8.allSatisfy(isNameByte), URLText.decoded(name) != nil else { return false }
        return port.isEmpty || isPort(port)
    }

    /// The colon, and nothing or a number after it.
    private static func isPort(_ text: Substring) -> Bool {
        guard text.hasPrefix(":") else { return false }
        let digits = text.dropFirst()
        return digits.isEmpty || (digits.utf8.allSatisfy { (48...57).contains($0) } && UInt16(digits) != nil)
    }

    /// `unreserved`, `sub-delims` and `%` (RFC 3986).
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~!$&'()*+,;=%".utf8.contains(byte)
        }
    }

    private static func isLiteralByte(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ":") || isNameByte(byte) }
}

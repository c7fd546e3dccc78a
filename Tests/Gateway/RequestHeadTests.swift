import GatewayCore
import Testing

@Suite("a request's head")
struct RequestHeadTests {
    private func outcome(_ head: RequestHead) -> Result<RequestHead.Accepted, RequestFault> {
        Result { () throws(RequestFault) in try head.accepted(maximumTargetBytes: 100) }
    }

    private func fault(_ head: RequestHead) -> RequestFault? {
        guard case .failure(let fault) = outcome(head) else { return nil }
        return fault
    }

    private func fault(_ method: String = "GET", _ target: String = "/", hosts: [String] = ["a"]) -> RequestFault? {
        fault(RequestHead(method: method, target: target, hosts: hosts))
    }

    @Test("there is one host, which is a name or an address with perhaps a port")
    func hosts() {
        for host in [
            "samtal.example.se", "SAMTAL.example.se:443", "192.0.2.1", "[2001:db8::1]", "[2001:db8::1]:8080", "a:",
            " a ",
            "xn--rksmrgs-5wao1o.example.se", "a_b", "a%2Db",
        ] { #expect(fault(hosts: [host]) == nil, "\(host)") }
        for host in [
            "", " ", "a b", "a:b", "a:65536", "a:1:2", "a@b", "a/b", "a?b", "[2001:db8::1", "2001:db8::1", "[]",
            "[::1]x",
            "å", "a%zz", "<a>", "a\tb",
        ] { #expect(fault(hosts: [host]) == .hostMalformed, "\(host)") }
        #expect(fault(hosts: []) == .hostMissing)
        #expect(fault(hosts: ["a", "a"]) == .hostRepeated)
        #expect(fault(RequestHead(method: "GET", target: "/", isHTTP10: true)) == nil)
    }

    @Test("a target is a path with perhaps a query, all of that after a host, or * for OPTIONS")
    func targets() throws {
        for target in ["/", "/a/b?c=d&e", "/%C3%A5?x=%20%ff", "/a:b;c=d", "/?"] {
            #expect(try outcome(RequestHead(method: "GET", target: target, hosts: ["a"])).get().target == target)
        }
        let absolute = try outcome(
            RequestHead(method: "GET", target: "HTTP://b.example.se:80?x=y", hosts: ["a"])
        ).get()
        #expect(absolute.target == "/?x=y" && absolute.authority == "b.example.se:80")
        #expect(fault("OPTIONS", "*") == nil)
        for target in [
            "*", "", "a", "a:443", "http://", "http:///x", "http://u@a/", "ftp://a/", "/a b", "/#a", "/%", "/%4",
            "/%zz",
            "/%00", "/%ff", "/?%", "/å", "/\u{7f}", "/\t",
        ] { #expect(fault("GET", target) == .targetMalformed, "\(target)") }
        #expect(fault("GET", "/\(String(repeating: "a", count: 100))") == .targetTooLong)
    }

    @Test("methods that nothing here has are told from those that a path lacks")
    func methods() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] { #expect(fault(method) == nil) }
        for method in ["TRACE", "CONNECT", "PROPFIND", "get", "FOO", ""] {
            #expect(fault(method) == .methodUnknown, "\(method)")
        }
        #expect(RequestHead.beginsWithUnknownMethod(Array("FOO /".utf8)))
        for text in ["", "FOO", " FOO", "\u{16}\u{3}\u{1} x", "F(O /", "GET /"] {
            #expect(!RequestHead.beginsWithUnknownMethod(Array(text.utf8)), "\(text)")
        }
    }

    @Test("where the body ends is said in one way, and chunked is the only transfer coding")
    func framing() {
        func fault(_ coding: String, length: Bool = false, isHTTP10: Bool = false) -> RequestFault? {
            var head = RequestHead(method: "POST", target: "/", isHTTP10: isHTTP10, hosts: ["a"])
            (head.transferEncoding, head.hasContentLength) = (coding, length)
            return self.fault(head)
        }
        #expect(fault("chunked") == nil && fault("Chunked ") == nil && fault("", length: true) == nil)
        #expect(fault("chunked", length: true) == .framingAmbiguous)
        #expect(fault("chunked", isHTTP10: true) == .framingAmbiguous)
        #expect(fault("chunked, chunked") == .framingAmbiguous)
        #expect(fault("gzip") == .framingAmbiguous && fault("chunked, gzip") == .framingAmbiguous)
        #expect(fault("gzip, chunked") == .transferCodingUnknown)
    }

    @Test("100-continue is the only expectation, and means nothing in HTTP/1.0 or without a body")
    func expectations() throws {
        func expects(_ expectation: String, length: Bool = true, isHTTP10: Bool = false) throws -> Bool {
            var head = RequestHead(method: "POST", target: "/", isHTTP10: isHTTP10, hosts: ["a"])
            (head.expectation, head.hasContentLength) = (expectation, length)
            return try outcome(head).get().expectsContinue
        }
        for text in ["100-continue", "100-Continue"] { #expect(try expects(text)) }
        #expect(try expects("") == false)
        #expect(try expects("100-continue", length: false) == false)
        for text in ["100-continue", "other"] { #expect(try expects(text, isHTTP10: true) == false) }
        for text in ["other", "100-continue, other"] {
            #expect(throws: RequestFault.expectationUnknown) { _ = try expects(text) }
        }
    }

    @Test("every fault has a status of its kind, and a reason of its own")
    func faults() {
        #expect(
            RequestFault.all.allSatisfy { (400..<600).contains($0.status) && !$0.message.isEmpty && !$0.code.isEmpty })
        #expect(Set(RequestFault.all.map(\.reason)).count == RequestFault.all.count)
    }
}

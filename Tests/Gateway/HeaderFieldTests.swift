import GatewayCore
import Testing

@Suite("header fields that say what a client sends and wants")
struct HeaderFieldTests {
    @Test("a media type is read with its parameters, whatever its case, space and quotes")
    func mediaTypes() throws {
        let type = try #require(MediaType("Application/JSON ;Charset=\"UTF\\-8\"; ; profile=x"))
        #expect(type.name == "application/json")
        #expect(type[parameter: "charset"] == "UTF-8" && type[parameter: "profile"] == "x")
        for text in [
            "", "application", "application/", "/json", "application/json; charset", "application/json; =x",
            "application/json; charset=\"utf-8", "application/json, text/plain", "application /json", "a/b c",
        ] { #expect(MediaType(text) == nil, "\(text)") }
    }

    @Test("JSON in UTF-8 counts as JSON, however that is written")
    func suitable() {
        for text in [
            "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
            "application/json; charset=utf8", "application/json ; charset=\"utf-8\"", "application/json; profile=x",
            "application/json;", "application/json; charset=us-ascii", "application/json;\tcharset=utf-8",
        ] { #expect(MediaType.suitability(ofContentType: text) == .suitable, "\(text)") }
    }

    @Test("another media type is told from another charset")
    func unsuitable() {
        for text in [
            nil, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded", "text/json",
            ";application/json", "application/json; charset", "*/*",
        ] { #expect(MediaType.suitability(ofContentType: text) == .notJSON, "\(text ?? "nil")") }
        for text in ["application/json; charset=latin1", "application/json; charset=\"utf-16\""] {
            #expect(MediaType.suitability(ofContentType: text) == .notUTF8, "\(text)")
        }
    }

    @Test("who names HTML sees a page, and who names JSON before it or nothing at all doesn't")
    func accepting() {
        for text in [
            "text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "TEXT/HTML;q=0.5",
            "application/json;q=0.4, text/html;q=0.5", "application/json, text/html",
        ] { #expect(ContentChoice.prefersHTML(accept: text), "\(text)") }
        for text in [
            nil, "", "*/*", "text/*", "application/json", "text/html;q=0", "text/html;q=0.3, application/json;q=0.4",
            "text/html;q=nonsense", "text/html;q=7", "\(String(repeating: "a/b,", count: 5_000))text/html",
        ] { #expect(!ContentChoice.prefersHTML(accept: text), "\(text?.prefix(40) ?? "nil")") }
    }

    @Test("the language is the one that is rated highest, and Swedish for whoever asks for neither")
    func languages() {
        let cases: [(String?, ContentChoice.Language)] = [
            (nil, .swedish), ("de, fr", .swedish), ("en", .english), ("en-GB,en;q=0.9", .english),
            ("sv-SE, en", .swedish), ("sv;q=0.5, en-US;q=0.8", .english), ("en;q=0, de", .swedish),
            ("*", .swedish), ("SV", .swedish), ("de, en;q=0.1", .english), ("english", .swedish), (";;,,=", .swedish),
        ]
        for (text, language) in cases {
            #expect(ContentChoice.language(acceptLanguage: text) == language, "\(text ?? "nil")")
        }
    }

    @Test("entity tags are read from a list, weak ones too, and * stands for any")
    func entityTags() {
        let list = EntityTags(#""a, b", W/"c" ,, "d""#)
        #expect(
            list
                == .listed([
                    .init(isWeak: false, opaque: #""a, b""#), .init(isWeak: true, opaque: #""c""#),
                    .init(isWeak: false, opaque: #""d""#),
                ]))
        #expect(list.matchesWeakly(#""c""#) && !list.matchesStrongly(#""c""#))
        #expect(list.matchesStrongly(#""d""#) && !list.matchesWeakly(#""e""#))
        #expect(EntityTags(" * ") == .any && EntityTags("*").matchesWeakly(#""x""#))
        for text in ["", "d", "\"d", "x\"d\"", "w/\"d\""] { #expect(EntityTags(text) == .listed([]), "\(text)") }
    }

    @Test("so many entity tags that nobody means them are not all read")
    func manyTags() {
        let tags = EntityTags((0..<1_000).map { "\"\($0)\"" }.joined(separator: ","))
        #expect(tags.matchesWeakly("\"0\"") && !tags.matchesWeakly("\"999\""))
    }
}

@Suite("header fields of any text whatever")
struct AnyHeaderFieldTests {
    @Test("nothing that a field may hold leads astray, and what is found is no longer than what came")
    func anyText() {
        let pieces = [
            "\"", "\\", ",", ";", "=", "*", "W/", "q=", "for=", "_", "[", "]", ":", "%", "::1", "192.0.2.1",
            "text/html", "/",
            "application/json", "charset", " ", "\t", "\u{0}", "å", "0.5", "-", "sv", "http://", "?", "#", "a",
            "\u{ff}",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            .joined()
            if let type = MediaType(text) { #expect(type.name.utf8.count <= text.utf8.count, "\(text)") }
            _ = ContentChoice.prefersHTML(accept: text)
            _ = ContentChoice.language(acceptLanguage: text)
            if case .listed(let tags) = EntityTags(text) {
                #expect(tags.allSatisfy { $0.opaque.hasPrefix("\"") && text.contains($0.opaque) }, "\(text)")
            }
            for node in [
                ForwardedClient.node(peer: "::1", header: .xForwardedFor, value: text) { $0 == "::1" },
                ForwardedClient.node(peer: "::1", header: .forwarded, value: text) { $0 == "::1" },
            ] {
                if case .address(let address) = node {
                    #expect(address.utf8.allSatisfy { "0123456789abcdefABCDEF.:".utf8.contains($0) }, "\(text)")
                }
            }
            let head = RequestHead(method: "GET", target: text, hosts: [text])
            if let accepted = try? head.accepted(maximumTargetBytes: 100) {
                #expect(accepted.target.hasPrefix("/"), "\(text)")
            }
        }
    }
}

@Suite("who the client behind a proxy is")
struct ForwardedClientTests {
    private func node(
        _ peer: String, _ forwardedFor: String? = nil, trusted: Set<String> = ["127.0.0.1", "10.0.0.1", "2001:db8::99"]
    ) -> ForwardedNode {
        ForwardedClient.node(peer: peer, header: .xForwardedFor, value: forwardedFor) { trusted.contains($0) }
    }

    private func node(_ peer: String, forwarded: String) -> ForwardedNode {
        ForwardedClient.node(peer: peer, header: .forwarded, value: forwarded) {
            ["127.0.0.1", "10.0.0.1"].contains($0)
        }
    }

    @Test("a header is believed only from a trusted proxy")
    func untrusted() {
        #expect(node("203.0.113.9", "192.0.2.1") == .address("203.0.113.9"))
        #expect(node("203.0.113.9", forwarded: "for=192.0.2.1") == .address("203.0.113.9"))
        #expect(node("127.0.0.1", "192.0.2.1", trusted: []) == .address("127.0.0.1"))
        #expect(node("127.0.0.1") == .address("127.0.0.1"))
    }

    @Test("what a client wrote into the header before the proxies did is not believed")
    func spoofed() {
        #expect(node("127.0.0.1", "198.51.100.1, 192.0.2.1") == .address("192.0.2.1"))
        #expect(node("127.0.0.1", "198.51.100.1,192.0.2.1, 10.0.0.1") == .address("192.0.2.1"))
        #expect(node("127.0.0.1", "10.0.0.1") == .address("10.0.0.1"))
        #expect(
            node("127.0.0.1", forwarded: "for=198.51.100.1, for=192.0.2.1;by=10.0.0.1, for=10.0.0.1")
                == .address("192.0.2.1"))
    }

    @Test(
        "port, brackets, quotes and zone are no part of an address",
        arguments: [
            ("198.51.100.11:50001", "198.51.100.11"), ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"), ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"), (" 192.0.2.1\t", "192.0.2.1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ])
    func addresses(text: String, address: String) {
        #expect(node("127.0.0.1", text) == .address(address))
    }

    @Test("a proxy with a port is passed as one without")
    func trustedWithPort() {
        #expect(node("127.0.0.1", "192.0.2.1:1, 10.0.0.1:443") == .address("192.0.2.1"))
        #expect(node("127.0.0.1", "192.0.2.1, [2001:db8::99]:443") == .address("192.0.2.1"))
    }

    @Test("Forwarded is understood as RFC 7239 writes it")
    func forwarded() {
        let cases: [(String, ForwardedNode)] = [
            (#"for="_gazonk""#, .obfuscated("_gazonk")), (#"for="_a:_port""#, .obfuscated("_a")),
            ("for=_a:_port", .unknown),
            (#"For="[2001:db8:cafe::17]:4711""#, .address("2001:db8:cafe::17")),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", .address("192.0.2.60")),
            ("proto=https;for=\"192.0.2.60:80\"; host=samtal.example.se", .address("192.0.2.60")),
            ("for=unknown", .unknown), ("proto=https", .unknown), ("for", .unknown), ("for=192.0.2.1 x", .unknown),
            (#"for="192.0.2.1"#, .unknown), ("for=\(String(repeating: "_", count: 500))", .unknown),
        ]
        for (header, expected) in cases {
            #expect(node("127.0.0.1", forwarded: header) == expected, "\(header)")
        }
    }

    @Test("whatever a client puts before what its proxy writes into Forwarded, the proxy's word counts")
    func fromTheEnd() {
        for forged in [
            "for=\"", "for=\"198.51.100.1", "\"", "for=198.51.100.1;by=\"a, b\"", ",,,", "for=\"\\\"", "x y z",
            "for=a=b",
            "for=\"a\\\\\"", "\\\"", String(repeating: "for=_x,", count: 5_000),
        ] {
            #expect(node("127.0.0.1", forwarded: "\(forged), for=192.0.2.1") == .address("192.0.2.1"), "\(forged)")
            let two = node("127.0.0.1", forwarded: "\(forged), for=192.0.2.1, for=\"10.0.0.1:80\"")
            #expect(two == .address("192.0.2.1"), "\(forged)")
            let quoted = node("127.0.0.1", forwarded: "\(forged), for=\"192.0.2.1:80\";by=\"_a,b\"")
            #expect(quoted == .address("192.0.2.1"), "\(forged)")
        }
    }

    @Test("an empty, endless or broken header leads to somebody and not astray")
    func malformed() {
        #expect(node("127.0.0.1", "") == .address("127.0.0.1"))
        #expect(node("127.0.0.1", " , ") == .address("127.0.0.1"))
        #expect(node("127.0.0.1", forwarded: " ,, ") == .address("127.0.0.1"))
        #expect(
            node("127.0.0.1", Array(repeating: "10.0.0.1", count: 10_000).joined(separator: ","))
                == .address("10.0.0.1"))
        for text in ["anna@example.se", "[2001:db8::1", "unknown", ":", "::1]", "\"\""] {
            let node = node("127.0.0.1", text)
            #expect(node == .unknown, "\(text) \(node)")
        }
    }
}

import ServiceKit
import Testing

@Suite("Where browsers reach a site")
struct WebOriginTests {
    @Test(
        "an address is read as a browser reads it, and written the one way that paths are hung on",
        arguments: [
            ("http://h", "http://h"), ("http://h/", "http://h"),
            ("HTTPS://Samtal.Example.SE/", "https://samtal.example.se"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://h:80/", "http://h"),
            ("https://h:443", "https://h"), ("https://h:80", "https://h:80"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
            ("https://xn--rksmrgs-5wao1o.example.se", "https://xn--rksmrgs-5wao1o.example.se"),
        ])
    func read(text: String, written: String) throws {
        #expect(try WebOrigin(text).description == written)
        #expect(try WebOrigin(text).isSecure == written.hasPrefix("https:"))
    }

    @Test(
        "what is no address of a site is refused with the reason",
        arguments: [
            ("", "http://"), ("h", "http://"), ("ftp://h", "something else"), ("javascript://h", "something else"),
            ("http://", "no host"), ("http:///admin", "no host"), ("http://:80", "no host"),
            ("http://h//", "after its host"),
            ("http://h/admin", "after its host"), ("http://h?x", "after its host"), ("http://h#x", "after its host"),
            ("http://h\\x", "after its host"), ("http://u@h", "user"), ("http://u:p@h", "user"), ("http://h:", "port"),
            ("http://h:0", "port"), ("http://h:65536", "port"), ("http://h:+80", "port"), ("http://h:8o", "port"),
            ("http://a b", "valid host"), ("http://-a", "valid host"), ("http://a..b", "valid host"),
            ("http://räksmörgås.example.se", "xn--"), ("http://256.1.1.1", "valid host"), ("http://[::1", "valid host"),
            ("http://[x]", "valid host"), ("http://h\n", "valid host"), ("http://%61", "valid host"),
        ])
    func refused(text: String, reason: String) {
        let problem = #expect(throws: WebOrigin.Problem.self) { try WebOrigin(text) }
        #expect(problem?.description.contains(reason) == true, "\(problem?.description ?? "")")
    }
}

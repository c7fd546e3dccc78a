import Contracts
import Foundation
import GatewayCore
import GatewayServer
import Privacy
import ProtobufC
import Testing

@Suite("the web pages")
struct PagesTests {
    private static let pages = ["/", "/s/s1", "/admin"]
    private static let scripts = [
        "account.js", "admin.js", "administrators.js", "certificates.js", "ending.js", "eventstream.js", "findbox.js",
        "index.js", "moderatedquestion.js", "moderation.js", "orderedrows.js", "ownquestions.js", "page.js", "place.js",
        "privacy.js", "questionlist.js", "retention.js", "service.js", "session.js", "signincodes.js",
        "texts-en.js", "texts-sv.js", "texts.js", "written.js",
    ]

    @Test("every answer carries the security headers, whatever it is")
    func securityHeaders() async throws {
        try await TestGateway.run { gateway in
            let paths = Self.pages + ["/assets/page.js", "/healthz", "/v1/sessions/s1", "/v1/nothing", "/nothing"]
            for path in paths {
                let headers = try await gateway.request("GET", path).headers
                #expect(headers["content-security-policy"]?.contains("default-src 'none'") == true, "\(path)")
                #expect(headers["x-content-type-options"] == "nosniff", "\(path)")
                #expect(headers["referrer-policy"] == "no-referrer", "\(path)")
                #expect(headers["cross-origin-opener-policy"] == "same-origin", "\(path)")
                #expect(headers["permissions-policy"] != nil, "\(path)")
                #expect(headers["set-cookie"] == nil && headers["server"] == nil, "\(path)")
                #expect(headers["cache-control"] != nil, "\(path)")
            }
        }
    }

    @Test("pages hold no inline code or style and load nothing from elsewhere")
    func noInline() async throws {
        try await TestGateway.run { gateway in
            for path in Self.pages {
                let page = try await gateway.request("GET", path)
                #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
                let text = page.text
                #expect(text.matches(of: /<script(?![^>]*src="\/assets\/)/).isEmpty, "\(path)")
                #expect(text.matches(of: /<style|\sstyle=|\son[a-z]+=|javascript:/).isEmpty, "\(path)")
                #expect(text.matches(of: /(src|href|action)="(https?:)?\/\//).isEmpty, "\(path)")
            }
            for name in Self.scripts + ["samtal.css"] {
                let file = try await gateway.request("GET", "/assets/\(name)")
                #expect(file.status == 200, "\(name)")
                for word in [
                    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "document.cookie",
                    "localStorage", "https://", "http://",
                ] {
                    #expect(!file.text.contains(word), "\(name) has \(word)")
                }
            }
        }
    }

    @Test("every file that a page or a script asks for is served")
    func linksResolve() async throws {
        try await TestGateway.run { gateway in
            var sources = Self.pages + Self.scripts.map { "/assets/\($0)" }
            var seen: Set<String> = []
            while let path = sources.popLast() {
                guard seen.insert(path).inserted else { continue }
                let file = try await gateway.request("GET", path)
                #expect(file.status == 200, "\(path)")
                sources += file.text.matches(of: /"(\/assets\/[a-z.]+)"/).map { String($0.output.1) }
            }
            #expect(seen.count == Self.pages.count + Self.scripts.count + 2)
        }
    }

    @Test("both languages have the same texts, and every text that is asked for is there")
    func texts() async throws {
        try await TestGateway.run { gateway in
            let languages = try await ["sv", "en"].asyncMap { language in
                try await gateway.request("GET", "/assets/texts-\(language).js").text
            }
            let keys = languages.map { texts in
                texts.matches(of: /\n    "?([a-zA-Z.]+(?:\.[A-Z_]+)?)"?: ["{]/).map { String($0.output.1) }
            }
            for texts in languages {
                // A number stands before a noun where there is a form for one of them.
                let forms = [/\bof: "/, /\bone: "/, /\bother: "/].map { texts.matches(of: $0).count }
                #expect(forms[0] > 5 && forms[1] == forms[0] && forms[2] == forms[0])
                let alone = texts.matches(of: /\n    "[^"]+": "[^"]*\{(?:days|seconds|cap)\} (?:dag|sekund|day|second)/)
                #expect(alone.map { String($0.output) } == [])
            }
            #expect(keys[0] == keys[1])
            #expect(Set(keys[0]).count == keys[0].count && keys[0].count > 100)
            var asked: Set<String> = []
            for path in Self.pages {
                let page = try await gateway.request("GET", path).text
                asked.formUnion(page.matches(of: /data-text="([^"]+)"/).map { String($0.output.1) })
            }
            for name in Self.scripts where !name.hasPrefix("texts") {
                let script = try await gateway.request("GET", "/assets/\(name)").text
                let uses = /(?:key: |announce\(|show\([^"`]*?, |notice\(|\[)"([a-z]+\.[a-zA-Z.]+|anonymous)"/
                asked.formUnion(script.matches(of: uses).map { String($0.output.1) })
            }
            #expect(asked.subtracting(keys[0]) == [])
        }
    }

    @Test("a page that the browser has is not sent again, and HEAD has no body")
    func caching() async throws {
        try await TestGateway.run(configure: { $0.publicURL = "https://samtal.example.org" }) { gateway in
            let first = try await gateway.request("GET", "/admin")
            let tag = try #require(first.headers["etag"])
            let second = try await gateway.request("GET", "/admin", headers: [("If-None-Match", tag)])
            #expect(second.status == 304 && second.body.isEmpty)
            let head = try await HTTPConnection(port: gateway.port, group: gateway.group)
            try await head.send("HEAD", "/admin")
            try await eventually("an answer comes") { head.answer != nil }
            #expect(head.answer?.status == 200 && head.answer?.body.isEmpty == true)
            #expect(first.headers["strict-transport-security"] != nil)
            let configuration = try await gateway.request("GET", "/configuration.json")
            #expect(configuration.json["publicUrl"] as? String == "https://samtal.example.org")
            head.close()
        }
    }

    @Test("pages are told whom to write to, and where data is kept as declared, also when that becomes known later")
    func configuration() async throws {
        try await TestGateway.run(configure: {
            $0.contact = Contact("Åsa \"Avtal\" Ek <avtal@example.se>")
            $0.support = Contact("hjalp@example.se")
        }) { gateway in
            let path = "/configuration.json"
            let before = try await gateway.request("GET", path)
            #expect(before.headers["content-type"] == "application/json")
            #expect(before.json["publicUrl"] is NSNull)
            #expect(
                before.json["contact"] as? [String: String]
                    == ["name": "Åsa \"Avtal\" Ek", "address": "avtal@example.se"])
            #expect(before.json["support"] as? [String: String] == ["name": "", "address": "hjalp@example.se"])
            #expect(before.json["declaredRegions"] as? [String: String] == ["gateway": "se-stockholm-1"])
            gateway.regions.note(try Region("fi"), of: "chat")
            let tag = try #require(before.headers["etag"])
            let after = try await gateway.request("GET", path, headers: [("If-None-Match", tag)])
            #expect(after.status == 200)
            let both = ["gateway": "se-stockholm-1", "chat": "fi"]
            #expect(after.json["declaredRegions"] as? [String: String] == both)
            #expect(try await gateway.request("GET", "/healthz").json["declaredRegions"] as? [String: String] == both)
        }
    }

    @Test("a session's page is at its id, and at nothing that is no id")
    func sessionPaths() async throws {
        try await TestGateway.run { gateway in
            let page = try await gateway.request("GET", "/s/0abc-9")
            #expect(page.status == 200)
            for path in [
                "/s/", "/s/ABC", "/s/a/b", "/s/%3Cscript%3E", "/s/a:b", "/assets/", "/assets/../admin", "/.git",
            ] {
                #expect(try await gateway.request("GET", path).status == 404, "\(path)")
            }
        }
    }

    @Test("downloads have one kind of message, whose data is what is sent")
    func fileRoutes() {
        for route in HTTPRoutes.all where route.stream == .file {
            #expect(route.response.name == RetentionV1.ExportChunk.descriptor.name)
        }
    }
}

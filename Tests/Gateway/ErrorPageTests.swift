import GatewayCore
import GatewayServer
import Testing

@Suite("what a person sees who went astray")
struct ErrorPageTests {
    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    private func visit(
        _ gateway: TestGateway, _ path: String, verb: String = "GET", language: String = "sv-SE,sv;q=0.9,en;q=0.8"
    ) async throws -> HTTPAnswer {
        try await gateway.request(verb, path, headers: [("Accept", Self.browser), ("Accept-Language", language)])
    }

    @Test("a path with a slash too many leads to the page, with its query", arguments: ["GET", "HEAD"])
    func slashes(verb: String) async throws {
        try await TestGateway.run { gateway in
            for (path, target) in [
                ("/admin/", "/admin"), ("/admin//", "/admin"), ("/s/abc-1/", "/s/abc-1"),
                ("/s/abc-1/?code=x&y=%C3%A5", "/s/abc-1?code=x&y=%C3%A5"), ("/healthz/", "/healthz"),
                ("/configuration.json/", "/configuration.json"), ("/assets/page.js/", "/assets/page.js"),
            ] {
                let client = try await HTTPConnection(port: gateway.port, group: gateway.group)
                try await client.send(verb, path)
                try await eventually("it is answered") { client.answer != nil }
                #expect(client.answer?.status == 308 && client.answer?.headers["location"] == target, "\(path)")
                #expect(client.answer?.headers["content-security-policy"] != nil)
                client.close()
            }
        }
    }

    @Test("no path leads to another site or to a page that there isn't")
    func noOpenRedirect() async throws {
        try await TestGateway.run { gateway in
            for path in [
                "//", "//elsewhere.example.se/", "/\\elsewhere.example.se/", "/nothing/", "/s/", "/s//", "/v1/",
            ] {
                let answer = try await gateway.request("GET", path)
                #expect([200, 404].contains(answer.status) && answer.headers["location"] == nil, "\(path)")
            }
            #expect(try await gateway.request("POST", "/admin/").status == 405)
        }
    }

    @Test("a browser gets a page in its language, which repeats nothing of what it sent")
    func pages() async throws {
        try await TestGateway.run { gateway in
            for (language, word, title) in [
                ("sv", "sv-SE,sv;q=0.9,en;q=0.8", "Sidan finns inte"),
                ("en", "en-GB,en;q=0.9", "There is no such page"),
                ("sv", "de", "Sidan finns inte"),
            ] {
                let page = try await visit(gateway, "/Anna-Exempel?name=Anna", language: word)
                #expect(page.status == 404 && page.headers["content-type"] == "text/html; charset=utf-8")
                #expect(page.headers["content-language"] == language)
                #expect(
                    page.headers["vary"] == "Accept, Accept-Language" && page.headers["cache-control"] == "no-store")
                #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(page.text.contains("<html lang=\"\(language)\">") && page.text.contains("<h1>\(title)</h1>"))
                #expect(page.text.contains("/assets/samtal.css") && !page.text.contains("{{"))
                #expect(!page.text.contains("Anna"))
                #expect(page.text.matches(of: /<script|<style|\sstyle=|\son[a-z]+=/).isEmpty)
            }
        }
    }

    @Test("an error page says whom to write to, in its language, if anybody is named")
    func support() async throws {
        try await TestGateway.run(configure: { $0.support = Contact("Stöd <hjalp@example.se>") }) { gateway in
            let link = #"<a href="mailto:hjalp@example.se">hjalp@example.se</a>"#
            let swedish = try await visit(gateway, "/nothing").text
            #expect(swedish.contains("Behöver du hjälp? Skriv till \(link)"))
            #expect(try await visit(gateway, "/nothing", language: "en").text.contains("Need help? Write to \(link)"))
        }
        try await TestGateway.run { gateway in
            let unnamed = try await visit(gateway, "/nothing").text
            #expect(!unnamed.contains("mailto:"))
        }
    }

    @Test("other errors on the paths of pages are pages too")
    func otherErrors() async throws {
        let configure: (inout GatewayConfiguration) -> Void = { configuration in
            configuration.rateRules[.read] = .init(burst: 1, interval: .seconds(100))
        }
        try await TestGateway.run(configure: configure) { gateway in
            let method = try await visit(gateway, "/admin", verb: "DELETE")
            #expect(method.status == 405 && method.text.contains("<h1>") && method.headers["allow"] != nil)
            #expect(try await visit(gateway, "/").status == 200)
            let often = try await visit(gateway, "/")
            #expect(often.status == 429 && often.text.contains("<h1>") && often.headers["retry-after"] != nil)
            let client = try await HTTPConnection(port: gateway.port, group: gateway.group)
            try await client.send(
                "GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
            try await eventually("it is closed") { client.isClosed }
            #expect(client.answer?.status == 414 && client.answer?.text.contains("<h1>") == true)
        }
    }

    @Test("programs, and whoever calls the API, get JSON")
    func programs() async throws {
        try await TestGateway.run { gateway in
            let program = try await gateway.request("GET", "/nothing", headers: [("Accept", "*/*")])
            #expect(program.status == 404 && program.reason == "PATH_NOT_FOUND")
            #expect(program.headers["vary"] == "Accept, Accept-Language")
            let api = try await visit(gateway, "/v1/nothing")
            #expect(api.status == 404 && api.headers["content-type"] == "application/json" && api.code == "NOT_FOUND")
        }
    }

    @Test("every status has its words in both languages")
    func words() {
        let page = ErrorPage(template: "{{language}}|{{status}}|{{title}}|{{text}}|{{home}}|{{footer}}")
        for status in [400, 404, 405, 408, 412, 413, 414, 417, 429, 431, 500, 501, 503, 504, 505] {
            let (swedish, english) = (
                page.html(status: status, language: .swedish), page.html(status: status, language: .english)
            )
            #expect(swedish.hasPrefix("sv|\(status)|") && english.hasPrefix("en|\(status)|"))
            #expect(!(swedish + english).contains("{{") && !(swedish + english).contains("||"))
            #expect(
                zip(swedish.split(separator: "|"), english.split(separator: "|")).dropFirst(2).allSatisfy { $0 != $1 })
        }
    }
}

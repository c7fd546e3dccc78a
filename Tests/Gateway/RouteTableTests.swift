import GatewayCore
import Testing

@Suite("routes")
struct RouteTableTests {
    private let table: RouteTable<String> = {
        var table = RouteTable<String>()
        for (verb, path) in [
            ("POST", "/v1/sessions"), ("GET", "/v1/sessions"), ("GET", "/v1/sessions/{session_id}"),
            ("POST", "/v1/sessions/{session_id}:open"), ("POST", "/v1/sessions/{session_id}:join"),
            ("POST", "/v1/sessions/{session_id}/questions/{question_id}:publish"), ("POST", "/v1/tokens:refresh"),
        ] { #expect(table.add(verb: verb, path: path, target: "\(verb) \(path)") == true) }
        return table
    }()

    private func found(_ verb: String, _ path: String) -> (target: String, fields: [String: String])? {
        guard case .found(let target, let fields) = table.match(verb: verb, path: path) else { return nil }
        return (target, Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) }))
    }

    @Test("a path leads to its template, with the values of its fields")
    func matches() throws {
        #expect(found("GET", "/v1/sessions")?.target == "GET /v1/sessions")
        #expect(found("GET", "/v1/sessions/abc-1")?.fields == ["session_id": "abc-1"])
        #expect(found("POST", "/v1/sessions/abc:open")?.target == "POST /v1/sessions/{session_id}:open")
        #expect(found("POST", "/v1/sessions/abc:open")?.fields == ["session_id": "abc"])
        let deep = try #require(found("POST", "/v1/sessions/a/questions/b:publish"))
        #expect(deep.fields == ["session_id": "a", "question_id": "b"])
        #expect(found("POST", "/v1/tokens:refresh")?.target == "POST /v1/tokens:refresh")
    }

    @Test("a field's value is decoded, and a verb in it is no verb")
    func decodes() {
        #expect(found("GET", "/v1/sessions/a%20b%2Fc")?.fields == ["session_id": "a b/c"])
        #expect(found("GET", "/v1/sessions/abc%3Aopen")?.fields == ["session_id": "abc:open"])
        #expect(found("GET", "/v1/sessions/a+b")?.fields == ["session_id": "a+b"])
    }

    @Test(
        "what is malformed or no route leads nowhere",
        arguments: [
            "", "v1/sessions", "/", "/v1", "/v1/sessions/", "/v1//sessions", "/v1/sessions/a/b", "/v1/sessions/a:shut",
            "/v1/sessions/:open", "/v1/sessions/a:b:open", "/v1/sessions/%", "/v1/sessions/%zz", "/v1/sessions/%ff",
            "/v1/sessions/a%00b", "/v1/sessions/a%0ab", "/v1/sessionsx", "/V1/sessions",
        ])
    func unknown(path: String) {
        for verb in ["GET", "POST"] {
            guard case .unknown = table.match(verb: verb, path: path) else {
                Issue.record("\(verb) \(path) leads somewhere")
                continue
            }
        }
    }

    @Test("a known path with another verb says which verbs it has")
    func otherVerbs() {
        guard case .otherVerbs(let verbs) = table.match(verb: "DELETE", path: "/v1/sessions") else {
            Issue.record("no verbs")
            return
        }
        #expect(verbs == ["GET", "POST"])
        guard case .otherVerbs(["POST"]) = table.match(verb: "GET", path: "/v1/sessions/a:open") else {
            Issue.record("no verbs")
            return
        }
    }

    @Test(
        "a template that is none, or is there already, is not added",
        arguments: [
            "", "x", "/", "/a//b", "/{}", "/{a}b", "/{a}:", "/a{b}", "/{a", "/a}", "/v1/sessions/{session_id}:open",
        ])
    func badTemplates(path: String) {
        var table = table
        #expect(table.add(verb: "POST", path: path, target: "x") == false)
    }

    @Test("a query is read strictly")
    func queries() throws {
        let query = try #require(Query("page_size=5&page_token=a%2Bb+c&empty=&bare&x=1=2&x=3"))
        #expect(query["page_size"] == "5")
        #expect(query["page_token"] == "a+b c")
        #expect(query["empty"] == "" && query["bare"] == "")
        #expect(query["x"] == "1=2")
        #expect(query["missing"] == nil)
        #expect(Query("")?.fields.isEmpty == true)
        #expect(Query("a=%") == nil && Query("a=%ff") == nil && Query("=b") == nil && Query("a=%00") == nil)
        #expect(Query((0..<32).map { "f\($0)=1" }.joined(separator: "&")) != nil)
        #expect(Query((0..<33).map { "f\($0)=1" }.joined(separator: "&")) == nil)
    }

    @Test("a field taken out of a query is gone, every time it was there")
    func removal() throws {
        var query = try #require(Query("a=1&b=2&a=3"))
        #expect(query.remove("a") == "1")
        #expect(query.fields == [.init(name: "b", value: "2")])
        #expect(query.remove("a") == nil)
    }
}

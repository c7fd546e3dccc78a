import Testing

/// A contract that keeps every rule, and whose parts can be replaced.
struct Contract {
    var options = """
        allow: {role: GATEWAY principals: ANYONE}
        http: {verb: "GET" path: "/v1/things/{thing_id}"}
        """
    var signature = "Get(GetRequest) returns (Thing)"
    var moreMethods = ""
    var requestFields = "string thing_id = 1;"
    var messages = ""

    var source: String {
        """
        syntax = "proto3";
        package samtal.test.v1;
        import "google/protobuf/timestamp.proto";
        import "samtal/annotations/v1/annotations.proto";
        service TestService {
          rpc \(signature) {
            option (annotations.v1.method) = {
              \(options)
            };
          }
          \(moreMethods)
        }
        message GetRequest {
          option (annotations.v1.kind) = TRANSPORT;
          \(requestFields)
        }
        message Thing {
          string thing_id = 1 [(annotations.v1.privacy) = {category: NOT_PERSONAL purpose: CONTRACT lifetime: LEDGER}];
          google.protobuf.Timestamp time = 2 [(annotations.v1.privacy) = {category: NOT_PERSONAL purpose: CONTRACT lifetime: LEDGER}];
        }
        \(messages)
        """
    }
}

/// A contract that breaks one rule.
struct BrokenContract: CustomTestStringConvertible, Sendable {
    /// The rule.
    var rule: String
    /// The declaration that is reported, within the package.
    var name: String
    var problem: String
    /// A piece of the line that is reported; its first occurrence counts.
    var marker: String
    var source: String

    var testDescription: String { rule }

    /// The line that is reported, from 1.
    var line: Int? {
        source.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains(marker) }.map {
            $0 + 1
        }
    }

    init(
        _ rule: String, name: String = "TestService.Get", problem: String, marker: String = "rpc Get(",
        _ change: (inout Contract) -> Void
    ) {
        var contract = Contract()
        change(&contract)
        self.rule = rule
        self.name = name
        self.problem = problem
        self.marker = marker
        self.source = contract.source
    }

    static let all: [BrokenContract] = access + privacy + shape + routes

    private static let allow = "allow: {role: GATEWAY principals: ANYONE}"

    private static let access = [
        BrokenContract(
            "a method without (method)", name: "TestService.Other", problem: "has no (method) option",
            marker: "rpc Other"
        ) { $0.moreMethods = "rpc Other(GetRequest) returns (Thing);" },
        BrokenContract("a method that allows nobody", problem: "allows nobody") { $0.options = "idempotent: true" },
        BrokenContract("a grant without a role", problem: "a grant without a role") {
            $0.options = "allow: {principals: ANYONE}"
        },
        BrokenContract("a grant without principals", problem: "a grant without principals") {
            $0.options = "allow: {role: GATEWAY}"
        },
        BrokenContract("a role granted twice", problem: "grants a role twice") { $0.options = "\(allow) \(allow)" },
    ]

    private static let privacy = [
        BrokenContract(
            "a field of a stored message without (privacy)", name: "Note.text", problem: "has no (privacy)",
            marker: "string text"
        ) { $0.messages = "message Note {\n  string text = 1;\n}" },
        BrokenContract(
            "a (privacy) without a lifetime", name: "Note.text", problem: "without lifetime", marker: "string text"
        ) {
            $0.messages = """
                message Note {
                  string text = 1 [(annotations.v1.privacy) = {category: FREE_TEXT purpose: CONTRACT}];
                }
                """
        },
        BrokenContract(
            "a nested message's field without (privacy)", name: "Outer.Inner.text", problem: "has no (privacy)",
            marker: "string text"
        ) { $0.messages = "message Outer {\n  message Inner {\n    string text = 1;\n  }\n}" },
    ]

    private static let shape = [
        BrokenContract(
            "a message that contains itself by way of another", name: "Tree", problem: "Tree → Branch → Tree",
            marker: "message Tree"
        ) {
            $0.messages = """
                message Tree { option (annotations.v1.kind) = TRANSPORT; repeated Branch branches = 1; }
                message Branch { option (annotations.v1.kind) = TRANSPORT; Tree tree = 1; }
                """
        },
        BrokenContract(
            "a proto3 optional", name: "GetRequest.maybe", problem: "is a proto3 optional", marker: "optional string"
        ) { $0.requestFields = "string thing_id = 1; optional string maybe = 2;" },
        BrokenContract("a map", name: "Table.rows", problem: "is a map", marker: "map<") {
            $0.messages =
                "message Table {\n  option (annotations.v1.kind) = TRANSPORT;\n  map<string, string> rows = 1;\n}"
        },
    ]

    private static func http(_ rule: String) -> String { "\(allow) http: {\(rule)}" }

    private static let routes = [
        BrokenContract(
            "two methods with one verb and path", name: "TestService.Other",
            problem: "the same HTTP verb and path as samtal.test.v1.TestService.Get", marker: "rpc Other"
        ) {
            let options = http(#"verb: "GET" path: "/v1/things/{name}""#)
            $0.requestFields = "string thing_id = 1; string name = 2;"
            $0.moreMethods =
                "rpc Other(GetRequest) returns (Thing) { option (annotations.v1.method) = {\(options)}; }"
        },
        BrokenContract("a path with a name that is no field", problem: "{other} in its HTTP path") {
            $0.options = http(#"verb: "GET" path: "/v1/things/{other}""#)
        },
        BrokenContract("a path with a name of a list", problem: "{thing_id} in its HTTP path") {
            $0.requestFields = "repeated string thing_id = 1;"
            $0.options = http(#"verb: "POST" path: "/v1/things/{thing_id}""#)
        },
        BrokenContract("a path with an open brace", problem: "malformed HTTP path") {
            $0.options = http(#"verb: "GET" path: "/v1/things/{thing_id""#)
        },
        BrokenContract("an unknown verb", problem: "the HTTP verb \"FETCH\"") {
            $0.options = http(#"verb: "FETCH" path: "/v1/things/{thing_id}""#)
        },
        BrokenContract(
            "a GET that needs a body", problem: "query can't carry the field samtal.test.v1.GetRequest.names"
        ) {
            $0.requestFields = "string thing_id = 1; repeated string names = 2;"
        },
        BrokenContract("a stream of requests over HTTP", problem: "takes a stream") {
            $0.signature = "Get(stream GetRequest) returns (Thing)"
        },
        BrokenContract("a stream that doesn't say how", problem: "doesn't say how HTTP carries it") {
            $0.signature = "Get(GetRequest) returns (stream Thing)"
        },
        BrokenContract("EVENTS without a position", problem: "has no field `string position`") {
            $0.signature = "Get(GetRequest) returns (stream Thing)"
            $0.options = http(#"verb: "GET" path: "/v1/things/{thing_id}" stream: EVENTS"#)
        },
        BrokenContract("FILE without data", problem: "has no field `bytes data`") {
            $0.signature = "Get(GetRequest) returns (stream Thing)"
            $0.options = http(#"verb: "GET" path: "/v1/things/{thing_id}" stream: FILE"#)
        },
        BrokenContract("EVENTS of one message", problem: "returns one message") {
            $0.options = http(#"verb: "GET" path: "/v1/things/{thing_id}" stream: EVENTS"#)
        },
    ]
}

import Testing

@testable import RPC

/// One way to break a rule: the frames of stream 1, and the rule that the log names.
struct RequestBreach: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var rule: String
    var code: UInt32 = 1
    var frames: [Frame]

    init(_ description: String, _ rule: String, code: UInt32 = 1, _ frames: [Frame]) {
        testDescription = description
        self.rule = rule
        self.code = code
        self.frames = frames
    }

    /// In the headers, with a body that is right.
    static func headers(_ description: String, _ rule: String, _ fields: Fields) -> RequestBreach {
        RequestBreach(description, rule, [.headers(1, fields), .data(1, framed("x"), end: true)])
    }

    /// In the trailers after a body that is right.
    static func trailers(
        _ description: String, _ rule: String, _ trailers: [(String, String)], end: Bool = true
    ) -> RequestBreach {
        RequestBreach(
            description, rule, [.headers(1, .request()), .data(1, framed("x")), .headers(1, trailers, end: end)])
    }
}

// MARK: All of them

extension RequestBreach {
    private static let requests: [(String, Fields)] = [
        ("an unknown one", .request(first: [(":protocol", "x")])),
        ("a response's", .request(first: [(":status", "200")])),
        ("one without a name", .request(first: [(":", "x")])), ("in capitals", .request(first: [(":Path", "/x")])),
        ("two methods", .request(first: [(":method", "POST")])), ("two paths", .request(first: [(":path", "/x")])),
        ("two schemes", .request(first: [(":scheme", "http")])),
        ("two authorities", .request(first: [(":authority", "x")])),
        ("two hosts", .request(adding: [("host", "a"), ("host", "a")])),
        ("one after the others", .request(without: [":authority"], adding: [(":authority", "x")])),
        ("no method", .request(without: [":method"])), ("no scheme", .request(without: [":scheme"])),
        ("no path", .request(without: [":path"])), ("nothing at all", []),
        ("an empty method", .request(without: [":method"], first: [(":method", "")])),
        ("a method with a space", .request(without: [":method"], first: [(":method", "PO ST")])),
        ("an empty scheme", .request(without: [":scheme"], first: [(":scheme", "")])),
        ("a scheme of digits", .request(without: [":scheme"], first: [(":scheme", "1http")])),
        ("a scheme with a colon", .request(without: [":scheme"], first: [(":scheme", "http:")])),
        ("an empty path", .request("")), ("a path without a slash", .request("test.Service/Echo")),
        ("a path with a space", .request("/test.Service/ Echo")), ("a path with a DEL", .request("/\u{7f}")),
        ("an asterisk", .request("*")),
        ("CONNECT with a path", .request(without: [":method"], first: [(":method", "CONNECT")])),
        (
            "CONNECT without an authority",
            .request(without: [":method", ":scheme", ":path", ":authority"], first: [(":method", "CONNECT")])
        ),
    ]

    static let pseudoHeaders = requests.map { RequestBreach.headers("pseudo-header: \($0.0)", "pseudo-header", $0.1) }

    private static let names: [(String, String)] = [
        ("in capitals", "X-Upper"), ("empty", ""), ("with a space", "a b"), ("with a colon", "a:b"),
        ("with a NUL", "a\0"), ("with a byte over 127", "\u{e5}"), ("with a DEL", "a\u{7f}"), ("in brackets", "(a)"),
    ]

    private static let values: [(name: String, what: String, value: String)] = [
        ("x-a", "NUL", "b\0c"), ("x-a", "LF", "b\n"), ("x-a", "CR", "\rb"), ("user-agent", "LF", "a\nb"),
        ("grpc-timeout", "CR", "1S\r"), ("content-type", "LF", "application/grpc\n"), ("host", "LF", "a\nb"),
        ("x-a-bin", "NUL", "\0"),
    ]

    static let fieldNames = names.map {
        RequestBreach.headers("a name \($0.0)", "field name", .request(adding: [($0.1, "x")]))
    }

    static let fieldValues = values.map {
        RequestBreach.headers("\($0.name) with \($0.what)", "field value", .request(adding: [($0.name, $0.value)]))
    }

    static let pseudoValues = [":path", ":authority", ":scheme", ":method"].map { name in
        RequestBreach.headers(
            "\(name) with a line end", "field value", .request(without: [name], first: [(name, "/a\r\nb: c")]))
    }

    static let connectionFields = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map {
        RequestBreach.headers($0, "connection-specific field", .request(adding: [($0, "x")]))
    }

    static let te = ["gzip", "", "trailers, gzip", "trailer"].map {
        RequestBreach.headers("te: \($0)", "te", .request(without: ["te"], adding: [("te", $0)]))
    }

    private static let noLengths = [
        "", "-1", "+8", "8 8", "8,8", "0x8", "9223372036854775808", "99999999999999999999", "eight",
    ]

    static let lengths = noLengths.map {
        RequestBreach.headers("content-length: \($0)", "content-length", .request(adding: [("content-length", $0)]))
    }

    static let bodies: [RequestBreach] = [
        .headers(
            "two of the same content-length", "content-length",
            .request(adding: [("content-length", "8"), ("content-length", "8")])),
        .headers("less than is said", "content-length", .request(adding: [("content-length", "9")])),
        .headers("more than is said", "content-length", .request(adding: [("content-length", "7")])),
        RequestBreach(
            "no body for a content-length", "content-length",
            [.headers(1, .request(adding: [("content-length", "1")]), end: true)]),
        RequestBreach(
            "less than is said, with trailers", "content-length",
            [
                .headers(1, .request(adding: [("content-length", "9")])), .data(1, framed("x")),
                .headers(1, [("x-a", "b")], end: true),
            ]),
    ]

    static let trailers: [RequestBreach] = [
        .trailers("trailers that end nothing", "trailers", [("x-a", "b")], end: false),
        .trailers("trailers with a pseudo-header", "pseudo-header", [(":path", "/x")]),
        .trailers("trailers with a connection", "connection-specific field", [("connection", "close")]),
        .trailers("trailers with te", "te", [("te", "gzip")]),
        .trailers("trailers in capitals", "field name", [("X-A", "b")]),
        .trailers("trailers with a NUL", "field value", [("x-a", "\0")]),
        .trailers("trailers with another length", "content-length", [("content-length", "7")]),
        // Found by nghttp2: FLOW_CONTROL_ERROR.
        RequestBreach(
            "a window beyond what there can be", "frames", code: 3,
            [
                .headers(1, .request(MethodDescriptor.count.path)), .data(1, framed("x"), end: true),
                .windowUpdate(1, 0x7FFF_FFFF),
            ]),
    ]

    static var all: [RequestBreach] {
        let headers = [pseudoHeaders, fieldNames, fieldValues, pseudoValues, connectionFields, te]
        return (headers + [lengths, bodies, trailers]).flatMap { $0 }
    }
}

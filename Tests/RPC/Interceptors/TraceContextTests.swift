import Testing

@testable import RPC

/// What a server makes of a caller's headers.
private func received(_ pairs: [(String, String)]) async throws -> TraceContext? {
    var metadata = Metadata()
    for (name, value) in pairs { metadata.add(name, value) }
    let call = ServerCall(method: .echo, peer: Peer(uid: 1, gid: 1, pid: 1), metadata: metadata)
    try await TraceInterceptor().begin(call)
    return call[.trace]
}

@Suite("Trace context")
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00-\(trace)-00f067aa0ba902b7-01"

    @Test("a caller's span becomes the parent of the call's own, in the same trace")
    func continues() async throws {
        let context = try #require(try await received([("traceparent", Self.parent), ("tracestate", "a=1")]))
        #expect(context.traceID == Self.trace)
        #expect(context.isSampled)
        #expect(context.state == "a=1")
        #expect(context.spanID != "00f067aa0ba902b7")
        #expect(context.spanID.count == 16)
        let text = String(decoding: TraceParent.text(context), as: UTF8.self)
        #expect(text == "00-\(Self.trace)-\(context.spanID)-01")
    }

    @Test("a later version is read as far as it is known, and passed on as version 00")
    func laterVersion() async throws {
        for text in ["cc-\(Self.trace)-00f067aa0ba902b7-03", "cc-\(Self.trace)-00f067aa0ba902b7-00-what-ever"] {
            let context = try #require(try await received([("traceparent", text)]))
            #expect(context.traceID == Self.trace)
            #expect(context.isSampled == text.hasSuffix("03"))
            #expect(String(decoding: TraceParent.text(context), as: UTF8.self).hasPrefix("00-"))
        }
    }

    @Test(
        "what isn't well formed begins no trace of its caller's choosing",
        arguments: [
            "", "00", String(parent.dropLast()), parent + "0", parent + "-00", parent.uppercased(),
            "ff-\(trace)-00f067aa0ba902b7-01", "0g-\(trace)-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
            "00_\(trace)-00f067aa0ba902b7-01", "00-\(trace)_00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7_01",
            "00-\(trace)-00f067aa0ba902b7-0x", "cc-\(trace)-00f067aa0ba902b7-01.more",
            "+0-\(trace)-00f067aa0ba902b7-01",
            "cc-\(trace)-00f067aa0ba902b7-01-" + String(repeating: "a", count: 4096),
        ])
    func malformed(text: String) async throws {
        let context = try await received([("traceparent", text), ("tracestate", "a=1")])
        #expect(context == nil)
    }

    @Test("two parents are none, and a state without a parent is nothing")
    func ambiguous() async throws {
        let twice = try await received([("traceparent", Self.parent), ("traceparent", Self.parent)])
        #expect(twice == nil)
        let stateAlone = try await received([("tracestate", "a=1")])
        #expect(stateAlone == nil)
    }

    @Test(
        "a state is passed on as it came, its blanks and empty members left out",
        arguments: [
            (["a=1"], "a=1"), (["a=1,b=2"], "a=1,b=2"), (["a=1", "b=2"], "a=1,b=2"), ([" a=1 , , b=2 2"], "a=1,b=2 2"),
            (["fw529a3039@dt=FfAAAA", "0tenant@system=x"], "fw529a3039@dt=FfAAAA,0tenant@system=x"), ([","], ""),
        ])
    func state(lists: [String], expected: String) async throws {
        let context = try await received([("traceparent", Self.parent)] + lists.map { ("tracestate", $0) })
        #expect(context?.state == expected)
    }

    private static let manyMembers = (0..<33).map { "k\($0)=v" }.joined(separator: ",")

    @Test(
        "a state that isn't well formed is dropped whole, and the parent kept",
        arguments: [
            ["a"], ["a="], ["=1"], ["A=1"], ["1a=1"], ["a=1=2"], ["a=1,a=2"], ["a=1", "a=2"], ["a b=1"], ["a@=1"],
            ["@a=1"], ["a@b@c=1"], ["a@0b=1"], ["a=" + String(repeating: "x", count: 257)],
            [String(repeating: "k", count: 257) + "=1"], ["a=1," + String(repeating: "k", count: 242) + "@s=1"],
            ["a@sixteenletterssy=1"], [manyMembers],
            Array(repeating: "a=" + String(repeating: "x", count: 200), count: 3),
        ])
    func malformedState(lists: [String]) async throws {
        let context = try await received([("traceparent", Self.parent)] + lists.map { ("tracestate", $0) })
        #expect(context?.traceID == Self.trace)
        #expect(context?.state == "")
    }

    @Test("a state of 32 members and 512 bytes is passed on, and one byte more is not")
    func bounds() async throws {
        let members = (0..<32).map { "k\($0)=v" }.joined(separator: ",")
        let many = try await received([("traceparent", Self.parent), ("tracestate", members)])
        #expect(many?.state == members)
        let long = "a=" + String(repeating: "x", count: 253) + ",b=" + String(repeating: "y", count: 254)
        #expect(long.utf8.count == 512)
        let whole = try await received([("traceparent", Self.parent), ("tracestate", long)])
        #expect(whole?.state == long)
        let longer = try await received([("traceparent", Self.parent), ("tracestate", long + "y")])
        #expect(longer?.state == "")
    }

    @Test("a call without a trace begins one when somebody asks, the same for all who ask")
    func root() async throws {
        let call = ServerCall(method: .echo, peer: Peer(uid: 1, gid: 1, pid: 1))
        try await TraceInterceptor().begin(call)
        #expect(call[.trace] == nil)
        let asked = await withTaskGroup(of: TraceContext.self) { tasks in
            for _ in 0..<32 { tasks.addTask { call.trace } }
            return await tasks.reduce(into: Set<TraceContext>()) { $0.insert($1) }
        }
        #expect(asked.count == 1)
        #expect(asked.first == call[.trace])
        #expect(asked.first?.isSampled == false)
        #expect(TraceParent.text(call.trace).withUnsafeBytes { TraceParent.parse($0) } == call.trace)
    }

    @Test("no identifier comes twice")
    func unique() {
        var seen: Set<UInt64> = []
        for _ in 0..<10_000 { #expect(seen.insert(TraceIdentifiers.next()).inserted) }
        #expect(!seen.contains(0))
    }

    @Test("a call on a channel has a trace, and keeps the one it was given")
    func client() async throws {
        var options = CallOptions()
        try await TraceInterceptor().begin(.echo, options: &options)
        let begun = try #require(options.metadata.traceContext)
        #expect(options.metadata.values("traceparent").count == 1)
        try await TraceInterceptor().begin(.echo, options: &options)
        #expect(options.metadata.traceContext == begun)
        #expect(options.metadata.values("traceparent").count == 1)
    }
}

import Testing

@testable import RPC

@Suite("Frames that come along with calls", .timeLimit(.minutes(1)))
struct FrameBudgetTests {
    @Test("a caller that pings with every call is no flood, however many calls it makes")
    func pingsWithCalls() async throws {
        try await withServer([.echo]) { _, path in
            let client = try RawClient(path)
            client.open()
            for _ in 0..<3000 {
                let response = client.request(.request(), body: framed("x"))
                client.ping()
                client.finish(response)
                guard !client.isClosed else { break }
            }
            #expect(!client.isClosed)
        }
    }

    @Test("calls pay for so many pings, and no more")
    func paidPings() {
        var budget = FrameBudget(perSecond: 1)
        var admitted = 0
        while budget.admits(.accompanying, sent: 0) { admitted += 1 }
        #expect((10...11).contains(admitted))
        for call in 1...100 {
            let isAdmitted = budget.admits(.accompanying, sent: 40 * call)
            #expect(isAdmitted)
        }
        // What is saved up is no more than the burst.
        admitted = 0
        while budget.admits(.accompanying, sent: 1_000_000) { admitted += 1 }
        #expect((10...11).contains(admitted))
    }

    @Test("frames of an unknown type cost no more than others")
    func unknownTypes() async throws {
        try await withServer([.echo]) { _, path in
            let client = try RawClient(path)
            client.open()
            client.flush()
            // Of the thousand that may come at once, some are the test's own SETTINGS and their acknowledgement.
            for _ in 0..<900 { client.write(Frame(type: 0xf0, payload: [1]).bytes) }
            let response = client.request(.request(), body: framed("x"))
            client.finish(response)
            #expect(response.headers["grpc-status"] == "0")
        }
    }

    @Test("a stream whose handler waited before it ended ends with its trailers, and no empty DATA frame before them")
    func noEmptyData() async throws {
        let ends = MethodHandler.serverStreaming(.count) { (request: Text, writer: ResponseWriter<Text>, _) in
            try await writer.send(request)
            try await Task.sleep(for: .milliseconds(20))
            if request.service == "fail" { throw RPCError(.notFound, "nothing") }
        }
        try await withServer([ends]) { _, path in
            let client = try RawClient(path)
            client.open()
            for (text, status) in [("succeed", "0"), ("fail", "5")] {
                let response = client.request(.request(MethodDescriptor.count.path), body: framed(text))
                client.finish(response)
                #expect(response.headers["grpc-status"] == status)
                #expect(response.body == framed(text))
            }
            #expect(client.receivedAccompanying == 0)
        }
    }
}

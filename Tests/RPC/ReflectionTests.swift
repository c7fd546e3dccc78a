import RPC
import Testing

private typealias Request = ReflectionV1.ServerReflectionRequest
private typealias Answer = ReflectionV1.ServerReflectionResponse.MessageResponse

/// A file that holds nothing but its name, which is enough to tell it by.
private func file(
    _ name: String, imports: [String] = [], services: [String] = [], symbols: [String] = [],
    extensions: [ProtoFile.Extension] = []
) -> ProtoFile {
    ProtoFile(
        name: name, dependencies: imports, services: services, symbols: symbols, extensions: extensions,
        descriptor: [0x0a, UInt8(name.utf8.count)] + Array(name.utf8))
}

/// d imports b and c, which both import a.
private let diamond = [
    file("a.proto", symbols: ["t.A", "t.A.Inner", "t.Options"]),
    file("b.proto", imports: ["a.proto"], extensions: [.init(of: "t.Options", number: 7)]),
    file("c.proto", imports: ["a.proto"], extensions: [.init(of: "t.Options", number: 5)]),
    file("d.proto", imports: ["b.proto", "c.proto"], services: ["t.D"], symbols: ["t.D", "t.D.Do"]),
]

/// The names of the files that were answered.
private func names(_ answer: Answer?) throws -> [String] {
    guard case .fileDescriptorResponse(let response) = answer else {
        Issue.record("no files: \(String(describing: answer))")
        return []
    }
    return try response.fileDescriptorProto.map { bytes in
        try #require(bytes.count > 2 && bytes.count >= 2 + Int(bytes[1]))
        return String(decoding: bytes[2..<(2 + Int(bytes[1]))], as: UTF8.self)
    }
}

private func code(_ answer: Answer?) -> Int32? {
    guard case .errorResponse(let error) = answer else { return nil }
    return error.errorCode
}

/// What the requests are answered on one stream.
private func ask(
    _ requests: [Request.MessageRequest?], of service: ReflectionService = ReflectionService(files: diamond)
) async throws -> [Answer?] {
    try await withServer(service.handlers) { channel, _ in
        let call = try await ReflectionV1.ServerReflectionClient(channel: channel).serverReflectionInfo()
        var answers: [Answer?] = []
        var responses = call.responses.makeAsyncIterator()
        for (number, request) in requests.enumerated() {
            let request = Request(host: "host-\(number)", messageRequest: request)
            try await call.send(request)
            let response = try #require(try await responses.next())
            #expect(response.validHost == request.host)
            #expect(response.originalRequest == request)
            answers.append(response.messageResponse)
        }
        call.finish()
        expectEqual(try await responses.next(), nil)
        return answers
    }
}

@Suite("Reflection", .timeLimit(.minutes(1)))
struct ReflectionTests {
    private func listed(_ service: ReflectionService) async throws -> [String] {
        guard case .listServicesResponse(let list) = try await ask([.listServices("*")], of: service)[0] else {
            return []
        }
        return list.service.map(\.name)
    }

    @Test("it lists what the server serves, health and itself, each once")
    func lists() async throws {
        let own = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]
        #expect(try await listed(ReflectionService(files: diamond)) == own + ["t.D"])
        #expect(try await listed(ReflectionService(files: diamond, services: [])) == own)
        #expect(
            try await listed(ReflectionService(files: [], services: ["z.Z", "a.A", "z.Z"])) == ["a.A"] + own + ["z.Z"])
    }

    @Test("a file comes with everything it imports, itself first and each once")
    func filesWithImports() async throws {
        let answers = try await ask([.fileByFilename("d.proto")])
        #expect(try names(answers[0]) == ["d.proto", "b.proto", "c.proto", "a.proto"])
    }

    @Test("what this stream was sent before isn't sent again as an import, but is when it is asked for")
    func onceInAStream() async throws {
        let answers = try await ask([
            .fileByFilename("b.proto"), .fileByFilename("d.proto"), .fileByFilename("a.proto"),
        ])
        #expect(try answers.map(names) == [["b.proto", "a.proto"], ["d.proto", "c.proto"], ["a.proto"]])
    }

    @Test(
        "a file is found by what it declares",
        arguments: [("t.D", "d.proto"), ("t.D.Do", "d.proto"), ("t.A.Inner", "a.proto"), ("t.Options", "a.proto")])
    func symbols(symbol: String, name: String) async throws {
        let answers = try await ask([.fileContainingSymbol(symbol)])
        #expect(try names(answers[0]).first == name)
    }

    @Test("extensions are found by number, and listed")
    func extensions() async throws {
        let answers = try await ask([
            .fileContainingExtension(.init(containingType: "t.Options", extensionNumber: 5)),
            .allExtensionNumbersOfType("t.Options"), .allExtensionNumbersOfType("t.A"),
        ])
        #expect(try names(answers[0]) == ["c.proto", "a.proto"])
        #expect(
            answers[1] == .allExtensionNumbersResponse(.init(baseTypeName: "t.Options", extensionNumber: [5, 7])))
        #expect(answers[2] == .allExtensionNumbersResponse(.init(baseTypeName: "t.A", extensionNumber: [])))
    }

    @Test("what isn't known is said in the stream, which goes on")
    func notFound() async throws {
        let answers = try await ask([
            .fileByFilename("e.proto"), .fileByFilename("../../etc/passwd"), .fileContainingSymbol("t.E"),
            .fileContainingSymbol(""), .fileContainingExtension(.init(containingType: "t.Options", extensionNumber: 6)),
            .allExtensionNumbersOfType("t.E"), nil, .fileByFilename("a.proto"),
        ])
        #expect(answers.map(code) == [5, 5, 5, 5, 5, 5, 3, nil])
        #expect(try names(answers[7]) == ["a.proto"])
    }

    @Test("the runtime's own files are always known, and each of their imports is")
    func ownFiles() async throws {
        let requests = RPCFiles.all.map { Request.MessageRequest.fileByFilename($0.name) }
        let answers = try await ask(requests, of: ReflectionService(files: []))
        #expect(try answers.map { try names($0).first } == RPCFiles.all.map(\.name))
        let known = Set(RPCFiles.all.map(\.name))
        #expect(RPCFiles.all.allSatisfy { known.isSuperset(of: $0.dependencies) })
        #expect(RPCFiles.all.contains { $0.services == ["grpc.health.v1.Health"] })
    }

    @Test("the protocol's older name is answered the same, and not listed")
    func olderName() async throws {
        try await withServer(ReflectionService(files: diamond).handlers) { channel, _ in
            let older = MethodDescriptor(
                service: "grpc.reflection.v1alpha.ServerReflection", method: "ServerReflectionInfo",
                kind: .bidirectional, idempotent: false, maxRequestBytes: 4096, defaultDeadline: nil)
            let call = try await channel.bidirectional(
                older, options: CallOptions(), sending: Request.self,
                receiving: ReflectionV1.ServerReflectionResponse.self)
            try await call.send(Request(messageRequest: .fileContainingSymbol("t.D")))
            call.finish()
            var responses = call.responses.makeAsyncIterator()
            let answer = try #require(try await responses.next())
            #expect(try names(answer.messageResponse).first == "d.proto")
        }
    }

    @Test("a request over 4 KiB ends its stream with RESOURCE_EXHAUSTED; one just below is answered")
    func longRequest() async throws {
        let answers = try await ask([.fileContainingSymbol(String(repeating: "x", count: 4000))])
        #expect(code(answers[0]) == 5)
        try await withServer(ReflectionService(files: diamond).handlers) { channel, _ in
            let client = ReflectionV1.ServerReflectionClient(channel: channel)
            let call = try await client.serverReflectionInfo()
            let refused = try await status {
                try await call.send(
                    Request(messageRequest: .fileContainingSymbol(String(repeating: "x", count: 5000))))
                for try await _ in call.responses {}
            }
            #expect(refused?.code == .resourceExhausted)
        }
    }

    @Test("many questions sent ahead of the answers are answered in order")
    func pipelined() async throws {
        try await withServer(ReflectionService(files: diamond).handlers) { channel, _ in
            let call = try await ReflectionV1.ServerReflectionClient(channel: channel).serverReflectionInfo()
            let count = 5000
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for number in 0..<count {
                        try await call.send(Request(host: "\(number)", messageRequest: .fileByFilename("d.proto")))
                    }
                    call.finish()
                }
                var received = 0
                for try await response in call.responses {
                    #expect(response.validHost == "\(received)")
                    received += 1
                }
                #expect(received == count)
                try await tasks.waitForAll()
            }
        }
    }
}

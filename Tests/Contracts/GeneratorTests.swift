import Foundation
import Testing

/// The generator as it is run: by its script, and by protoc on contracts that break a rule. One after the other, since
/// the first builds the plugin.
@Suite("The generator", .serialized)
struct GeneratorTests {
    @Test("the committed code is what the protos give; if not, run Scripts/generate-protos")
    func regenerated() throws {
        let outcome = try Repository.run("Scripts/generate-protos", ["--check"])
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    @Test("a contract that keeps the rules is generated")
    func accepted() throws {
        #expect(try generate(Contract().source) == nil)
    }

    @Test("streams of requests are generated", arguments: ["Thing", "stream Thing"])
    func streamsOfRequests(response: String) throws {
        var contract = Contract()
        contract.signature = "Get(stream GetRequest) returns (\(response))"
        contract.options = "allow: {role: GATEWAY principals: ANYONE}"
        #expect(try generate(contract.source) == nil)
    }

    @Test("a contract that breaks a rule is refused with file, line, name and remedy", arguments: BrokenContract.all)
    func refused(contract: BrokenContract) throws {
        let message = try #require(try generate(contract.source), "it was accepted")
        let expectedLine = try #require(contract.line)
        #expect(
            message.contains("samtal/test/v1/test.proto:\(expectedLine): samtal.test.v1.\(contract.name) "),
            "\(message)")
        #expect(message.contains(contract.problem), "\(message)")
    }

    @Test("all violations are reported at once")
    func together() throws {
        var contract = Contract()
        contract.messages = "message Bad {\n  string one = 1;\n  string two = 2;\n}"
        let message = try #require(try generate(contract.source))
        #expect(message.contains("samtal.test.v1.Bad.one has no (privacy)"))
        #expect(message.contains("samtal.test.v1.Bad.two has no (privacy)"))
    }

    /// What protoc says, or `nil` if it generated.
    private func generate(_ source: String) throws -> String? {
        try TemporaryFolder.with { folder in
            let file = folder.appendingPathComponent("samtal/test/v1/test.proto")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try source.write(to: file, atomically: true, encoding: .utf8)
            let plugin = Repository.root.appendingPathComponent(
                "Scripts/protoc-gen-samtal/.build/debug/protoc-gen-samtal")
            let outcome = try Repository.run(
                "protoc",
                [
                    "-I", folder.path, "-I", "Protos", "--plugin=protoc-gen-samtal=\(plugin.path)",
                    "--samtal_out=module=Contracts:\(folder.path)", "samtal/test/v1/test.proto",
                ])
            let generated = FileManager.default.fileExists(atPath: folder.appendingPathComponent("TestV1.swift").path)
            #expect((outcome.status == 0) == generated)
            return outcome.status == 0 ? nil : outcome.output
        }
    }
}

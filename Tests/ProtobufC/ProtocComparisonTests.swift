import Contracts
import Foundation
import ProtobufC
import RPC
import Testing

/// Google's own implementation reads what we write, and we read what it writes.
@Suite("The same as protoc", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/protoc")))
struct ProtocComparisonTests {
    private let protos = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Protos").path

    /// protoc with `input` as its standard input; its standard output.
    private func protoc(_ mode: String, _ message: String, _ file: String, _ input: Data) throws -> Data {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("protoc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("in")
        let target = folder.appendingPathComponent("out")
        try input.write(to: source)
        try Data().write(to: target)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/protoc")
        process.arguments = ["-I", protos, "--\(mode)=\(message)", file]
        process.standardInput = try FileHandle(forReadingFrom: source)
        process.standardOutput = try FileHandle(forWritingTo: target)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try Data(contentsOf: target)
    }

    /// Through protoc's text form and back.
    private func roundTrip<Message: ProtobufMessage>(_ message: Message, _ file: String) throws {
        let name = Message.descriptor.name
        let ours = message.serialized()
        let text = try protoc("decode", name, file, Data(ours))
        let theirs = try protoc("encode", name, file, text)
        #expect(Array(theirs) == ours)
        #expect(try Message(serialized: Array(theirs)) == message)
    }

    @Test("a question with answers")
    func question() throws {
        try roundTrip(Samples.question, "samtal/chat/v1/chat.proto")
        let text = try protoc(
            "decode", "samtal.chat.v1.Question", "samtal/chat/v1/chat.proto", Data(Samples.question.serialized()))
        #expect(String(decoding: text, as: UTF8.self).contains("version: 18446744073709551615"))
    }

    @Test("an event with each member of its oneof")
    func event() throws {
        for change: ChatV1.SessionEvent.Change in [
            .caughtUp(false), .removedQuestionID("q"), .question(Samples.question),
            .session(ChatV1.Session(state: .ended)),
        ] {
            try roundTrip(ChatV1.SessionEvent(position: "e-300", change: change), "samtal/chat/v1/chat.proto")
        }
    }

    @Test("bytes and numbers of a certificate")
    func certificate() throws {
        let certificate = RetentionV1.Certificate(
            sequence: 1 << 40, organisationID: "org", sessionID: "s", trigger: .automatic, eraseTime: Samples.time,
            statement: "{\"å\":1}", signature: (0...255).map { UInt8($0) }, keyID: "k")
        try roundTrip(certificate, "samtal/retention/v1/retention.proto")
    }

    @Test("a negative number and a typed reason of a status")
    func reasons() throws {
        let request = GoogleRPC.BadRequest(fieldViolations: [.init(field: "text", description: "too long"), .init()])
        try roundTrip(request, "google/rpc/error_details.proto")
        let info = GoogleRPC.RetryInfo(retryDelay: GoogleProtobuf.Duration(seconds: -5, nanos: -1))
        try roundTrip(info, "google/rpc/error_details.proto")
        try roundTrip(HealthV1.HealthCheckResponse(status: .notServing), "grpc/health/v1/health.proto")
    }
}

import Contracts
import Foundation
import InteropContracts
import ProtobufC
import RPC

/// Answers the questions of a Python program: one on its output, the answer to its input, each behind a length.
enum Oracle {
    /// What can be done with a message of one type.
    private struct Operations {
        var encodeAgain: ([UInt8]) throws(ProtobufError) -> [UInt8]
        var toJSON: ([UInt8]) throws(ProtobufError) -> [UInt8]
        var fromJSON: ([UInt8]) throws(ProtobufError) -> [UInt8]

        init<Message: ProtobufMessage>(_ type: Message.Type) {
            encodeAgain = { bytes throws(ProtobufError) in try Message(serialized: bytes).serialized() }
            toJSON = { bytes throws(ProtobufError) in try Message(serialized: bytes).jsonUTF8() }
            fromJSON = { bytes throws(ProtobufError) in try Message(jsonUTF8: bytes).serialized() }
        }
    }

    private static let types: [any ProtobufMessage.Type] = [
        OracleV1.Single.self, OracleV1.Repeated.self, OracleV1.Unpacked.self, OracleV1.Choice.self,
        ChatV1.Question.self, ChatV1.SessionEvent.self, ChatV1.ListQuestionsResponse.self, ChatV1.SessionLogEntry.self,
        IdentityV1.SignInResponse.self, IdentityV1.ListSigningKeysResponse.self, RetentionV1.Certificate.self,
        RetentionV1.Policy.self, RetentionV1.ExportChunk.self, GoogleRPC.Status.self, GoogleRPC.BadRequest.self,
        GoogleRPC.ErrorInfo.self, HealthV1.HealthCheckResponse.self, GRPCTesting.SimpleRequest.self,
        GRPCTesting.StreamingOutputCallRequest.self,
    ]

    /// Runs the program to its end; what it printed is what it wrote to its error output.
    static func run(_ interpreter: String, _ program: String) async throws -> (status: Int32, printed: String) {
        let log = FileManager.default.temporaryDirectory.appending(path: "samtal-oracle-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: log) }
        let questions = Pipe()
        let answers = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = [program]
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        process.standardInput = answers
        process.standardOutput = questions
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        let (input, output) = (questions.fileHandleForReading, answers.fileHandleForWriting)
        await withCheckedContinuation { continuation in
            // Reading blocks, which the threads of tasks are not for.
            Thread.detachNewThread {
                while let question = read(input), let answer = answer(question) { write(answer, to: output) }
                try? output.close()
                continuation.resume()
            }
        }
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
    }

    /// A question without its length; nil when there are no more.
    private static func read(_ input: FileHandle) -> [UInt8]? {
        guard let prefix = bytes(4, of: input) else { return nil }
        return bytes(prefix.reduce(0) { $0 << 8 | Int($1) }, of: input)
    }

    private static func bytes(_ count: Int, of input: FileHandle) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = try? input.read(upToCount: count - bytes.count), !more.isEmpty else { return nil }
            bytes += more
        }
        return bytes
    }

    private static func write(_ answer: [UInt8], to output: FileHandle) {
        let length = withUnsafeBytes(of: UInt32(answer.count).bigEndian) { Array($0) }
        try? output.write(contentsOf: Data(length + answer))
    }

    /// A letter that says what to do, the type's name behind its length, and what to do it with. The answer begins with
    /// 0 and is the bytes, or begins with 1 and is the error.
    private static func answer(_ question: [UInt8]) -> [UInt8]? {
        guard question.count >= 2, question.count >= 2 + Int(question[1]) else { return nil }
        let name = String(decoding: question[2..<2 + Int(question[1])], as: UTF8.self)
        let payload = Array(question[(2 + Int(question[1]))...])
        guard let type = types.first(where: { $0.descriptor.name == name }) else { return nil }
        let operations = Operations(type)
        do throws(ProtobufError) {
            switch question[0] {
            case UInt8(ascii: "E"): return [0] + (try operations.encodeAgain(payload))
            case UInt8(ascii: "J"): return [0] + (try operations.toJSON(payload))
            case UInt8(ascii: "P"): return [0] + (try operations.fromJSON(payload))
            default: return nil
            }
        } catch {
            return [1] + Array("\(error)".utf8)
        }
    }
}

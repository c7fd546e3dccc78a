import Foundation
import Testing

/// What is read and written here is what Google's implementation of protobuf reads and writes, on messages that
/// hypothesis makes (`oracle.py`). `SAMTAL_ORACLE_EXAMPLES` sets how many.
@Suite("Held against Google's protobuf", .timeLimit(.minutes(30)))
struct OracleTests {
    @Test("both read and write the same, and where ours reads less there is a reason")
    func agrees() async throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let repository = tests.deletingLastPathComponent().deletingLastPathComponent()
        let interpreter =
            ProcessInfo.processInfo.environment["SAMTAL_PYTHON"]
            ?? repository.appending(path: ".build/interop-venv/bin/python").path
        try #require(
            FileManager.default.isExecutableFile(atPath: interpreter),
            "no Python with grpcio-tools and hypothesis at \(interpreter): Scripts/test makes one")
        let (status, printed) = try await Oracle.run(interpreter, tests.appending(path: "oracle.py").path)
        #expect(status == 0, "\(printed.suffix(20_000))")
        #expect(printed.contains("Ran 8 tests"), "\(printed.suffix(20_000))")
    }
}

/// One thing that is fuzzed. Each takes any bytes; what must hold for them is in its own file.
///
/// The same code runs under libFuzzer (`Driver`, `Scripts/fuzz`) and, on the seeds and what is made of them, in the tests.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// Protobuf bytes: the scan, the decoder and the encoder.
    case messages
    /// Proto3-JSON, with fields from a URL.
    case json
    /// What gRPC puts into HTTP/2: framed messages, headers, statuses.
    case framing
    /// A server's connection, whose peer is the fuzzer.
    case connection
    /// A client's connection, whose peer is the fuzzer.
    case clientConnection = "client-connection"

    /// Runs one input.
    ///
    /// - Throws: ``FuzzFailure`` when something that must hold doesn't. Crashes, hangs and memory beyond all bounds are
    ///   for whoever runs it to see.
    func run(_ bytes: [UInt8]) throws(FuzzFailure) {
        var input = FuzzInput(bytes)
        switch self {
        case .messages: try MessagesTarget.run(&input)
        case .json: try JSONTarget.run(&input)
        case .framing: try FramingTarget.run(&input)
        case .connection: try ServerConnectionTarget.run(&input)
        case .clientConnection: try ClientConnectionTarget.run(&input)
        }
    }
}

/// Something that must hold for every input and doesn't for this one.
struct FuzzFailure: Error, CustomStringConvertible {
    var description: String
}

/// - Throws: ``FuzzFailure`` unless it holds.
func require(_ holds: Bool, _ what: @autoclosure () -> String) throws(FuzzFailure) {
    guard holds else { throw FuzzFailure(description: what()) }
}

/// What `body` returns or throws; `Result(catching:)` forgets the type of the error.
func outcome<Value, Failure: Error>(_ body: () throws(Failure) -> Value) -> Result<Value, Failure> {
    do throws(Failure) {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}

import Logging
import ServiceKit
import Synchronization

/// What a service wrote to its log.
final class LogCapture: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    /// A logger that writes every line there is, as the services write them.
    func logger() -> Logger {
        Logger(label: "identity") { _ in
            JSONLogHandler(
                service: "identity", level: .trace,
                output: LogOutput { line in self.bytes.withLock { $0.append(contentsOf: line) } })
        }
    }
}

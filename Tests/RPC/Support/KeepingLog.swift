import Logging

/// Keeps lines, with what they say beside their message.
struct KeepingLog: LogHandler {
    let lines: Shared<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    init(_ lines: Shared<[String]>, from level: Logger.Level = .trace) {
        self.lines = lines
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value) " }
        let line = "\(event.message) " + pairs.joined()
        lines.update { $0.append(line) }
    }
}

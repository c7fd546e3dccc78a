public import Logging

/// Writes log entries as JSON lines that hold no personal data: metadata under the keys of `LogKey` alone, values cut
/// to a bounded length, errors by their type. What was dropped is counted in the line, so that the loss is seen.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let service: String
    private let output: LogOutput

    /// - Parameter service: goes into every line.
    public init(service: String, level: Logger.Level) {
        self.init(service: service, level: level, output: .standardError)
    }

    package init(service: String, level: Logger.Level, output: LogOutput) {
        self.service = service
        logLevel = level
        self.output = output
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = LogLine()
        line.add("time", LogTime.now())
        line.add("level", event.level.rawValue)
        line.add("service", service)
        line.add("message", event.message.description, longest: LogLine.longestMessage)
        if let error = event.error { line.add(LogKey.errorType, String(reflecting: type(of: error))) }

        var entries = metadata
        if let provided = metadataProvider?.get() { entries.merge(provided) { $1 } }
        if let own = event.metadata { entries.merge(own) { $1 } }
        var dropped = 0
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
            guard LogKey.allowed.contains(key), add(key, value, to: &line) else {
                dropped += 1
                continue
            }
        }
        if dropped > 0 { line.add("dropped", number: dropped) }
        output.write(line.finish())
    }

    /// Only plain values: a list or a dictionary would carry keys that nobody allowed.
    private func add(_ key: String, _ value: Logger.Metadata.Value, to line: inout LogLine) -> Bool {
        switch value {
        case .string(let text):
            line.add(key, text)
        case .stringConvertible(let value):
            if let number = value as? any BinaryInteger {
                line.add(key, number: number)
            } else {
                line.add(key, value.description)
            }
        case .array, .dictionary:
            return false
        }
        return true
    }
}

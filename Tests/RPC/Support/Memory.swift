import Foundation
import Testing

/// How much the test process has had in memory at most since ``forget()``, in bytes.
enum HighestMemory {
    /// Starts anew (proc_pid_clear_refs(5)).
    static func forget() throws {
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }

    static func read() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 1024
    }
}

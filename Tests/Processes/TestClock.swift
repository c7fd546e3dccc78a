import Foundation

/// The machine's clock as processes see it that are started with it. CLOCK_REALTIME is moved, and the clocks that nobody can set
/// are left alone; the product knows nothing of it.
package final class TestClock: Sendable {
    private let folder: String

    private var library: String { "\(folder)/stepped_clock.so" }
    private var offset: String { "\(folder)/offset" }

    package init() async throws {
        folder = "/tmp/clock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "Clock/stepped_clock.c").path
        let compiled = try await ChildProcess.run(
            "/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source])
        guard compiled.status == 0 else { throw ChildProcessError.timedOut("cc: \(compiled.printed)") }
        try set(ahead: 0)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Puts the clock so many seconds before the real time, or behind it.
    package func set(ahead seconds: Int) throws {
        // In one step: a process must not read half of it.
        try Data("\(seconds)\n".utf8).write(to: URL(fileURLWithPath: offset), options: .atomic)
    }

    /// Of a process that goes by it.
    var environment: [String: String] { ["LD_PRELOAD": library, "TEST_CLOCK_OFFSET": offset] }
}

import Foundation
import Synchronization

/// A program under test, with what it printed kept in files.
package final class ChildProcess: Sendable {
    // Foundation's Process is not Sendable; it is touched only inside this lock.
    private let process: Mutex<Process>
    package let log: String
    package let identifier: Int32

    /// Starts `executable`, a path or the name of one beside the test bundle.
    package init(_ executable: String, _ arguments: [String], log: String, environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(
            fileURLWithPath: executable.hasPrefix("/") ? executable : "\(Self.folder)/\(executable)")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        guard let output = FileHandle(forWritingAtPath: log) else { throw ChildProcessError.noLog(log) }
        try output.seekToEnd()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        identifier = process.processIdentifier
        self.process = Mutex(process)
        self.log = log
    }

    /// Where the executables of this build lie: the folder of the test bundle that runs.
    package static var folder: String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folder = (own as NSString).deletingLastPathComponent
        // Swift Testing may be run by a helper of the toolchain's; then the bundle is its argument.
        guard !FileManager.default.fileExists(atPath: "\(folder)/samtal-chat") else { return folder }
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        return (bundle as NSString).deletingLastPathComponent
    }

    package var isRunning: Bool { process.withLock { $0.isRunning } }

    /// Nil while it runs; a signal's number is negative.
    package var exitStatus: Int32? {
        process.withLock { process in
            guard !process.isRunning else { return nil }
            return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
        }
    }

    package func signal(_ number: Int32) {
        if isRunning { kill(identifier, number) }
    }

    /// Waits until it has ended.
    package func wait(atMost limit: Duration = .seconds(30)) async throws -> Int32 {
        try await eventually("process \(identifier) ends", within: limit) { self.exitStatus != nil }
        return exitStatus ?? 0
    }

    package var printed: String {
        (try? String(decoding: Data(contentsOf: URL(fileURLWithPath: log)), as: UTF8.self)) ?? ""
    }

    /// Runs a program to its end.
    package static func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:],
        atMost limit: Duration = .seconds(120)
    ) async throws -> (status: Int32, printed: String) {
        let log = FileManager.default.temporaryDirectory.appending(path: "samtal-run-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: log) }
        let child = try ChildProcess(executable, arguments, log: log, environment: environment)
        do {
            return (try await child.wait(atMost: limit), child.printed)
        } catch {
            child.signal(SIGKILL)
            throw error
        }
    }
}

package enum ChildProcessError: Error {
    case noLog(String)
    case timedOut(String)
    case refused(String)
}

/// Waits for a condition, asking often.
package func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw ChildProcessError.timedOut(what) }
        try await Task.sleep(for: .milliseconds(20))
    }
}

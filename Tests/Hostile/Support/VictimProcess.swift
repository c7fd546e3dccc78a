import Foundation
import TestProcesses

/// A server of its own process, and what the kernel says of its memory.
struct VictimProcess: Sendable {
    let child: ChildProcess
    let path: String

    /// One of another build, by its path, for figures: attackers and clients are then the same, and the victim is not.
    private static let other = ProcessInfo.processInfo.environment["HOSTILE_VICTIM"]

    /// What calls may take in any case. Without optimisation the same frames take thirty times as long to read.
    static var slowest: Duration {
        #if DEBUG
            other == nil ? .milliseconds(500) : .milliseconds(100)
        #else
            .milliseconds(100)
        #endif
    }

    /// Starts one in that folder; it takes connections when this returns.
    static func start(in folder: String, _ settings: [String]) async throws -> VictimProcess {
        let path = "\(folder)/v.sock"
        let child = try ChildProcess(other ?? "hostile-victim", [path] + settings, log: "\(folder)/log")
        try await eventually("the victim serves") {
            if let status = child.exitStatus {
                throw ChildProcessError.timedOut("it ended: \(status) \(child.printed)")
            }
            return (try? RawConnection(path)) != nil
        }
        return VictimProcess(child: child, path: path)
    }

    /// Bytes resident now.
    var memory: Int { field("VmRSS") }
    /// The most that has been resident since ``resetPeak()``.
    var peakMemory: Int { field("VmHWM") }

    /// Has the kernel forget the peak (proc(5), clear_refs).
    func resetPeak() throws {
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(child.identifier)/clear_refs"))
    }

    private func field(_ name: String) -> Int {
        let status = try? String(contentsOfFile: "/proc/\(child.identifier)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        let kilobytes = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
        return (kilobytes ?? 0) * 1024
    }

    func stop() async throws {
        child.signal(SIGKILL)
        _ = try await child.wait()
    }
}

/// A victim with a folder of its own.
struct VictimFolder: Sendable {
    let victim: VictimProcess
    private let folder: String

    init(_ settings: [String] = []) async throws {
        // Short, since the path of a Unix socket holds 107 bytes.
        folder = "/tmp/rh-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        do {
            victim = try await VictimProcess.start(in: folder, settings)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    /// Ends the victim and removes the folder.
    func remove() async throws {
        try await victim.stop()
        try FileManager.default.removeItem(atPath: folder)
    }
}

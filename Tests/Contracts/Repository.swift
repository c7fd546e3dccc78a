import Foundation

/// The working copy that the tests were built from.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct Outcome {
        var status: Int32
        /// Standard output and standard error.
        var output: String
    }

    /// Runs a program in the root and waits for it.
    static func run(_ program: String, _ arguments: [String]) throws -> Outcome {
        try TemporaryFolder.with { folder in
            let output = folder.appendingPathComponent("output")
            try Data().write(to: output)
            let handle = try FileHandle(forWritingTo: output)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [program] + arguments
            process.currentDirectoryURL = root
            process.standardOutput = handle
            process.standardError = handle
            try process.run()
            process.waitUntilExit()
            return Outcome(status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8))
        }
    }
}

enum TemporaryFolder {
    static func with<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("contracts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}

import ArgumentParser
import Contracts
import Dispatch
import Foundation
import RPC

/// `samtal export`: one session's log as a ZIP.
struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Exports one session's log as a ZIP with JSON, CSV and a manifest.",
        discussion: """
            Acts for the administrator who is signed in (samtal sign-in): the operator is not given content. The file \
            appears under its name only when it is complete; what it holds is personal data.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var signIn: SignInOptions
    @Argument(help: "The session's id.") var session: String
    @Option(name: .shortAndLong, help: "The file to write (default: samtal-SESSION.zip). It must not exist.")
    var output: String?

    func run() async throws {
        let path = output ?? "samtal-\(session).zip"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure("\(path) exists already. Name another file with --output.")
        }
        let bytes = try await Connection.asAdministrator(connection, signIn) { services, administrator in
            try await PartialFile.write(to: path) { file in
                var total = 0
                for try await chunk in services.retention.exportSession(
                    .init(sessionID: session), options: administrator)
                {
                    try file.write(contentsOf: chunk.data)
                    total += chunk.data.count
                }
                return total
            }
        }
        print("exported  \(path)  \(bytes) bytes")
    }
}

/// A file that has its name only once it is whole and on disk; a failure or Ctrl-C leaves nothing behind.
enum PartialFile {
    private static let interruptingSignals = [SIGINT, SIGTERM, SIGHUP]

    static func write<Result>(to path: String, _ body: (FileHandle) async throws -> Result) async throws -> Result {
        let temporary = "\(path).partial"
        guard FileManager.default.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: temporary)
        else {
            throw CommandFailure("Can't write \(temporary). Name a file in a folder you may write to with --output.")
        }
        let interruptions = removeWhenInterrupted(temporary)
        defer {
            for source in interruptions { source.cancel() }
            for number in interruptingSignals { signal(number, SIG_DFL) }
        }
        do {
            let result = try await body(file)
            try file.synchronize()
            try file.close()
            try FileManager.default.moveItem(atPath: temporary, toPath: path)
            return result
        } catch {
            try? file.close()
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
    }

    /// What was written so far is personal data, so an interrupted command doesn't leave it lying about.
    private static func removeWhenInterrupted(_ path: String) -> [any DispatchSourceSignal] {
        interruptingSignals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                try? FileManager.default.removeItem(atPath: path)
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }
}

import ArgumentParser
import Contracts
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
    @Option(name: .shortAndLong, help: "The file to write (default: samtal-SESSION.zip). A file must not exist yet.")
    var output: String?

    func run() async throws {
        let path = output ?? "samtal-\(session).zip"
        // The file first: what can't be kept anywhere is not to be read out.
        let bytes = try await OutputFile.write(to: path, readableBy: .owner, isNew: true) { file in
            try await Connection.asAdministrator(connection, signIn) { services, administrator in
                var total = 0
                for try await chunk in services.retention.exportSession(
                    .init(sessionID: session), options: administrator)
                {
                    try file.write(chunk.data)
                    total += chunk.data.count
                }
                return total
            }
        }
        try say("exported  \(path)  \(bytes) bytes", beside: path)
    }
}

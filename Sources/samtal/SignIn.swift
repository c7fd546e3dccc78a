import ArgumentParser
import Foundation
import RPC

/// On whose behalf a command acts that is an administrator's and not the operator's.
struct SignInOptions: ParsableArguments {
    private static let maximumBytes = 16384

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A file that holds an administrator's access token (default: the token in $SAMTAL_ACCESS_TOKEN).",
            valueName: "file"))
    var tokenFile: String?

    func accessToken() throws -> String {
        let text: String
        if let tokenFile {
            text = String(decoding: try BoundedFile.read(tokenFile, maximumBytes: Self.maximumBytes), as: UTF8.self)
        } else {
            text = ProcessInfo.processInfo.environment["SAMTAL_ACCESS_TOKEN"] ?? ""
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        // It goes into a header as it is.
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandFailure(
                "This is an administrator's to do. Give their access token in $SAMTAL_ACCESS_TOKEN or --token-file.")
        }
        return token
    }
}

extension Connection {
    /// Runs `body` on behalf of the administrator who is signed in, with the options that say so.
    static func asAdministrator<Result>(
        _ options: ConnectionOptions, _ signIn: SignInOptions, _ body: (Connection, CallOptions) async throws -> Result
    ) async throws -> Result {
        let token = try signIn.accessToken()
        return try await with(options) { services in
            try await body(services, CallOptions(metadata: ["authorization": "Bearer \(token)"]))
        }
    }
}

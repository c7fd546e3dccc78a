import ArgumentParser
import Contracts
import Foundation
import RPC

/// `samtal sign-in`: an administrator's, for the commands that touch content.
struct SignIn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in",
        abstract: "Signs an administrator in, for the commands that touch content.",
        discussion: """
            Reads the one-time code, or the link that it is in, from standard input: on the command line other users \
            of this machine could see it. What it is traded for is kept in a file of mode 0600, for 30 days from its \
            latest use; samtal sign-out ends it.

            export, erase and policy set act with it: what a session holds is the controller's, and the operator is \
            not given it.

              samtal sign-in-link anna@example.se | samtal sign-in
            """)

    /// A code has 26 characters; a link has an address besides.
    private static let longestLine = 4096

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var signIn: SignInOptions

    func run() async throws {
        let file = try signIn.file()
        if isatty(FileHandle.standardInput.fileDescriptor) == 1 {
            FileHandle.standardError.write(Data("One-time code or link: ".utf8))
        }
        guard let line = readLine(), line.utf8.count <= Self.longestLine else {
            throw CommandFailure("No code came on standard input. samtal sign-in-link makes one.")
        }
        let answer = try await Connection.with(connection, as: .backend) { services in
            try await services.identity.signIn(.init(code: Self.code(in: line)))
        }
        try await file.locked { try file.write(KeptSignIn(answer)) }
        let name = answer.administrator?.displayName ?? ""
        try say("signed in  \(name), \(answer.organisationDisplayName)  \(file.path)")
    }

    /// What follows `#code=` in a link; anything else is taken for the code itself.
    static func code(in line: String) -> String {
        let code = line.components(separatedBy: "#code=").last ?? line
        return code.trimmingCharacters(in: .whitespaces)
    }
}

/// `samtal sign-out`.
struct SignOut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out", abstract: "Ends the sign-in that samtal sign-in began, and removes its file.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var signIn: SignInOptions

    func run() async throws {
        let file = try signIn.file()
        try await file.locked {
            let kept = try file.read()
            try await Connection.with(connection, as: .backend) { services in
                _ = try await services.identity.revokeTokens(.init(refreshToken: kept.refreshToken))
            }
            try file.remove()
        }
        try say("signed out")
    }
}

/// Where the sign-in is kept.
struct SignInOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            The file of the administrator's sign-in (default: $SAMTAL_TOKEN_FILE, or \
            ~/.local/state/samtal/sign-in.json). Without it, an access token in $SAMTAL_ACCESS_TOKEN goes first.
            """, valueName: "file"))
    var tokenFile: String?

    /// An access token that whoever runs the command got by themselves, for as long as it lasts.
    func accessToken() throws -> String? {
        guard tokenFile == nil, let token = ProcessInfo.processInfo.environment["SAMTAL_ACCESS_TOKEN"], !token.isEmpty
        else { return nil }
        guard KeptSignIn.isToken(token) else { throw CommandFailure("$SAMTAL_ACCESS_TOKEN holds no access token.") }
        return token
    }

    func file() throws -> SignInFile {
        let environment = ProcessInfo.processInfo.environment
        if let path = tokenFile ?? environment["SAMTAL_TOKEN_FILE"], !path.isEmpty { return SignInFile(path: path) }
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        guard let folder = state ?? environment["HOME"].map({ "\($0)/.local/state" }) else {
            throw CommandFailure("There is no home folder to keep the sign-in in. Name a file with --token-file.")
        }
        return SignInFile(path: "\(folder)/samtal/sign-in.json", makesFolder: true)
    }
}

extension SignInOptions {
    /// Whether a command is to act for an administrator: a sign-in is named, or one is kept in the usual place.
    func isGiven() throws -> Bool {
        let named = ProcessInfo.processInfo.environment["SAMTAL_TOKEN_FILE"] ?? ""
        if tokenFile != nil || !named.isEmpty { return true }
        return try accessToken() != nil || file().isThere
    }
}

extension Connection {
    /// Runs `body` on behalf of the administrator who is signed in, or as the operator where nobody is.
    static func asAdministratorOrOperator<Result>(
        _ options: ConnectionOptions, _ signIn: SignInOptions,
        _ body: (Connection, CallOptions) async throws -> Result
    ) async throws -> Result {
        if try signIn.isGiven() { return try await asAdministrator(options, signIn, body) }
        return try await with(options) { services in try await body(services, CallOptions()) }
    }

    /// Runs `body` on behalf of the administrator who is signed in, with the options that say so.
    static func asAdministrator<Result>(
        _ options: ConnectionOptions, _ signIn: SignInOptions, timeout: Duration? = nil,
        _ body: (Connection, CallOptions) async throws -> Result
    ) async throws -> Result {
        let given = try signIn.accessToken()
        let file = try signIn.file()
        // Before a lock is made beside it.
        if given == nil { _ = try file.read() }
        return try await with(options, as: .backend) { services in
            let token: String
            if let given {
                token = given
            } else {
                token = try await file.locked { try await services.accessToken(from: file) }
            }
            return try await body(
                services, CallOptions(metadata: ["authorization": "Bearer \(token)"], timeout: timeout))
        }
    }

    /// The kept access token, or a new one if it is about to expire. A refresh token works once, so whoever else uses
    /// the file waits meanwhile.
    private func accessToken(from file: SignInFile) async throws -> String {
        let kept = try file.read()
        guard kept.isStale(at: Date()) else { return kept.accessToken }
        let renewed = KeptSignIn(try await identity.refreshTokens(.init(refreshToken: kept.refreshToken)))
        try file.write(renewed)
        return renewed.accessToken
    }
}

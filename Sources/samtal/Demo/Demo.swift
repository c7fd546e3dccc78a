import ArgumentParser
import Contracts
import Foundation
import RPC
import RetentionCore
import ServiceKit

/// `samtal demo`: plays one chat through the public interfaces, from its creation to the proof that it is gone.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plays one chat from a transcript: asked, moderated, answered, exported, erased, proven.",
        discussion: """
            Everything goes through what any browser or backend could use: HTTP for the administrator and the \
            participants, gRPC for the live feed. Where an administrator is signed in for the command line, it acts for \
            them; otherwise the operator makes the first sign-in code. It shows that the operator is not given what the \
            session holds. The exported log and the certificate stay in the output folder; \
            the log is personal data, so delete it when you have looked.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var signIn: SignInOptions
    @Option(help: "The gateway's address.") var url: String = "http://127.0.0.1:8080"
    @Option(help: "The transcript to play.") var transcript: String
    @Option(help: "The folder for the export, the certificate and the key; outside the data folder.")
    var output: String = "./samtal-demo"

    func run() async throws {
        let transcript = try Transcript.read(transcript)
        let address = try WebOrigin(option: "--url", url)
        let folder = try outputFolder()
        let email = try await Connection.with(connection) { try await DemoStage.administrator(services: $0) }
        let code = try await Connection.asAdministratorOrOperator(connection, signIn) { services, options in
            try await services.identity.createSignInCode(.init(email: email), options: options).code
        }
        try await Connection.with(connection, as: .backend) { services in
            let stage = try await DemoStage.signedIn(with: code, http: DemoHTTP(origin: address), services: services)
            let ledgerKey = try await stage.ledgerKey()
            let session = try await stage.createSession(title: transcript.title)
            let seen = try await stage.play(transcript, in: session)
            let kept = try await stage.end(session, expecting: transcript, seenLive: seen)
            try await stage.export(session, to: folder.appending(path: "session.zip"))
            try await Connection.with(connection) { try await DemoStage.expectNoContent(of: session, services: $0) }

            let search = PlainTextSearch(texts: transcript.texts)
            try report(search.run(folder: connection.dataFolder), when: "before the erasure")
            let certificate = try await stage.erase(session, expecting: kept)
            try report(search.run(folder: connection.dataFolder), when: "after the erasure")
            try await stage.expectGone(session)
            try await verify(certificate, key: ledgerKey, folder: folder)
        }
    }

    private func outputFolder() throws -> URL {
        let folder = URL(fileURLWithPath: output)
        let data = URL(fileURLWithPath: connection.dataFolder)
        guard !folder.standardizedFileURL.path.hasPrefix(data.standardizedFileURL.path + "/") else {
            throw CommandFailure("The export may not lie in the data folder. Name another with --output.")
        }
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure("Can't make the folder \(output). Name one that you may write to with --output.")
        }
        return folder
    }

    private func report(_ result: PlainTextSearch.Result, when: String) throws {
        try say(
            "search       \(when): \(result.found) of \(result.texts) texts found in "
                + "\(result.files) files, \(result.bytes) bytes of data and logs")
        guard result.found == 0 else { throw CommandFailure("Plain text lies in the data folder.") }
    }

    private func verify(_ certificate: Certificate, key: LedgerPublicKey, folder: URL) async throws {
        let certificatePath = folder.appending(path: "certificate.json").path
        let keyPath = folder.appending(path: "ledger-key.json").path
        try await CertificateFiles.write(.certificate(certificate), to: certificatePath)
        let keyText = try LedgerKeyFile.encoded(key)
        try await OutputFile.write(to: keyPath, readableBy: .everyone) { try $0.write(Array("\(keyText)\n".utf8)) }
        try say("\n$ samtal verify \(certificatePath) --key \(keyPath)")
        try await Verify.parse([certificatePath, "--key", keyPath]).run()
    }
}

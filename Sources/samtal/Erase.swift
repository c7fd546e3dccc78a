import ArgumentParser
import Contracts
import Foundation
import RPC
import RetentionCore

/// `samtal erase`: one session, for ever, now.
struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Erases one session for ever, and writes the certificate of it.",
        discussion: """
            Export first what you are to keep: nothing brings an erased session back. The session's id is asked \
            for twice, so that no other one is erased by mistake. Erasing an erased session writes its \
            certificate again.

            Acts for the administrator who is signed in (samtal sign-in). The operator erases on the controller's \
            documented instruction only, and names it with --instruction: a case number or the date of a letter, and \
            no person. The controller sees it, and the certificate says it for good.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var signIn: SignInOptions
    @Argument(help: "The session's id.") var session: String
    @Option(help: ArgumentHelp("The session's id again.", valueName: "session")) var confirm: String
    @Option(help: ArgumentHelp("Erases as the operator, on this instruction of the controller's.", valueName: "text"))
    var instruction: String?
    @Option(name: .shortAndLong, help: "Where the certificate is written (default: samtal-SESSION.certificate.json).")
    var output: String?

    func run() async throws {
        let path = output ?? "samtal-\(session).certificate.json"
        var isErased = false
        let certificate: RetentionV1.Certificate
        do {
            // The file first: what can't be written is to be known before anything is erased.
            certificate = try await OutputFile.write(to: path, readableBy: .everyone) { file in
                let certificate = try await erased()
                isErased = true
                try file.write(CertificateFiles.encoded(.certificate(Certificate(certificate))))
                return certificate
            }
        } catch let failure as CommandFailure where isErased {
            throw CommandFailure("\(failure) The session is erased; the same command writes its certificate again.")
        }
        try say("erased       \(session)", beside: path)
        if let requester = try ErasureStatement(reading: certificate.statement).requester {
            try say("asked by     \(requester.inWords)", beside: path)
        }
        try say("certificate  \(path)  (number \(certificate.sequence) of the ledger)", beside: path)
    }

    private func erased() async throws -> RetentionV1.Certificate {
        let longest = Duration.seconds(600)
        var request = RetentionV1.EraseSessionRequest(sessionID: session, confirmSessionID: confirm)
        guard let instruction else {
            return try await Connection.asAdministrator(connection, signIn, timeout: longest) {
                services, administrator in
                try await services.retention.eraseSession(request, options: administrator)
            }
        }
        request.instruction = instruction
        return try await Connection.with(connection) { services in
            try await services.retention.eraseSession(request, options: .init(timeout: longest))
        }
    }
}

extension ErasureRequester {
    /// For the commands' output.
    var inWords: String {
        switch self {
        case .administrator: "an administrator of the organisation"
        case .operator(let instruction): "the operator, on instruction: \(instruction.text)"
        }
    }
}

/// `samtal certificates`: the ledger as a file.
struct Certificates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the ledger's certificates to a file: the whole chain, or one organisation's part of it.")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The organisation's id; without it, every organisation's.") var organisation: String?
    @Option(name: .shortAndLong, help: "The file to write.") var output: String

    func run() async throws {
        var certificates: [Certificate] = []
        try await Connection.with(connection) { services in
            var request = RetentionV1.ListCertificatesRequest(organisationID: organisation ?? "", pageSize: 200)
            repeat {
                let page = try await services.retention.listCertificates(request)
                certificates += page.certificates.map(Certificate.init)
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty
        }
        guard !certificates.isEmpty else {
            throw CommandFailure(
                "There is no certificate\(organisation.map { " of \($0)" } ?? "") yet; nothing was written.")
        }
        try await CertificateFiles.write(.chain(certificates), to: output)
        try say("certificates  \(certificates.count)  \(output)", beside: output)
    }
}

extension Certificate {
    /// The certificate as it travels: only what was signed matters, the rest is read from the statement.
    init(_ message: RetentionV1.Certificate) {
        self.init(statement: message.statement, signature: message.signature, keyID: message.keyID)
    }
}

/// Certificates in files.
enum CertificateFiles {
    static func write(_ file: CertificateFile, to path: String) async throws {
        let bytes = try encoded(file)
        try await OutputFile.write(to: path, readableBy: .everyone) { try $0.write(bytes) }
    }

    static func encoded(_ file: CertificateFile) throws -> [UInt8] {
        do {
            return try file.encoded()
        } catch {
            throw CommandFailure("There are too many certificates for one file. Name an organisation.")
        }
    }

    static func read(_ path: String) throws -> CertificateFile {
        let bytes = try BoundedFile.read(path, maximumBytes: CertificateFile.maximumBytes)
        do {
            return try CertificateFile(decoding: bytes)
        } catch .unknownFormat {
            throw CommandFailure("\(path) is JSON, but not a certificate that this version knows.")
        } catch .tooLarge, .tooManyCertificates {
            throw CommandFailure("\(path) holds more than \(CertificateFile.maximumCertificates) certificates.")
        } catch {
            throw CommandFailure("\(path) is no certificate: it can't be read as one.")
        }
    }
}

/// A file that somebody else wrote, read with a bound.
enum BoundedFile {
    static func read(_ path: String, maximumBytes: Int) throws -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure("Can't read \(path). Does it exist, and may you read it?")
        }
        defer { try? file.close() }
        let data: Data
        do {
            data = try file.read(upToCount: maximumBytes + 1) ?? Data()
        } catch {
            throw CommandFailure("Can't read \(path). Is it a file?")
        }
        guard data.count <= maximumBytes else { throw CommandFailure("\(path) is too large to be such a file.") }
        return Array(data)
    }
}

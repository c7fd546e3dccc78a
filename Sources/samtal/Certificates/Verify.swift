import ArgumentParser
import Contracts
import Foundation
import RPC
import RetentionCore

/// `samtal ledger-key`: the key to hand to whoever is to verify certificates.
struct LedgerKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger-key",
        abstract: "Writes the public key that certificates are verified with.",
        discussion: "Hand it over before anything is erased: a key that comes with the certificate proves little.")

    @OptionGroup var connection: ConnectionOptions
    @Option(name: .shortAndLong, help: "The file to write (default: standard output).") var output: String?

    func run() async throws {
        let key = try await Connection.with(connection) { services in
            try await services.retention.getLedgerKey(.init())
        }
        guard let key = LedgerPublicKey(bytes: key.publicKey) else {
            throw CommandFailure("The retention service answered with something that is no Ed25519 key.")
        }
        let text = try LedgerKeyFile.encoded(key)
        guard let output else { return try say(text) }
        try await OutputFile.write(to: output, readableBy: .everyone) { try $0.write(Array("\(text)\n".utf8)) }
        try say("ledger key  \(key.keyID)  \(output)", beside: output)
    }
}

/// `samtal verify`: offline, with nothing but a certificate and a key.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verifies a certificate, or a chain of them, offline. Exits with 1 when it does not hold.",
        discussion: """
            A single certificate is checked by itself: its form and its signature. A chain that begins with \
            certificate 1 is checked whole: every signature, every number, every link. Numbers may be missing where \
            the certificate after them says so: they were lost with the folder that held them. Any other chain is checked \
            as an excerpt of the ledger. No chain can show that newer certificates were left out of it: compare the \
            last number with the one you were given before.
            """)

    @Argument(help: "The file of the certificate or the chain.") var file: String
    @Option(help: "The file of the public key (samtal ledger-key).") var key: String
    @Option(help: "The language of the description: sv or en (default: as LC_ALL, LC_MESSAGES or LANG say).")
    var language: CertificateLanguage = .ofEnvironment

    func run() async throws {
        let key = try LedgerKeyFile.read(key)
        let found: [Certificate]
        let problem: CertificateProblem?
        let scope: String
        switch try CertificateFiles.read(file) {
        case .certificate(let certificate):
            (found, scope) = ([certificate], "one certificate: signature")
            problem = CertificateVerifier.verify(certificate, key: key)
        case .chain(let certificates):
            found = certificates
            let statements = certificates.map { try? ErasureStatement(reading: $0.statement) }
            let whole = statements.first.map { $0?.sequence == 1 || $0?.gapAfter == 0 } ?? true
            let gaps = statements.count { $0?.gapAfter != nil }
            scope =
                whole
                ? "whole chain: signatures, numbers, links\(gaps == 0 ? "" : "; \(gaps) GAPS, each said by the certificate after it")"
                : "excerpt: signatures, neighbouring links"
            problem =
                whole
                ? CertificateVerifier.verify(chain: certificates, key: key)
                : CertificateVerifier.verify(excerpt: certificates, key: key)
        }
        guard !found.isEmpty else { throw CommandFailure("NOT VALID. \(file) holds no certificate.") }
        if let problem { throw CommandFailure("NOT VALID. \(problem)") }
        try say("VALID  \(found.count) (\(scope)), key \(key.keyID)")
        for certificate in found {
            try say("\n" + CertificateWords(language).description(of: ErasureStatement(reading: certificate.statement)))
        }
    }
}

/// The file form of a ledger's public key.
enum LedgerKeyFile {
    private static let format = "samtal-ledger-key"
    private static let maximumBytes = 4096

    private struct Document: Codable {
        var format: String
        var keyID: String
        var publicKey: Data

        enum CodingKeys: String, CodingKey {
            case format
            case keyID = "key_id"
            case publicKey = "public_key"
        }
    }

    static func encoded(_ key: LedgerPublicKey) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document = Document(format: format, keyID: key.keyID, publicKey: Data(key.bytes))
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    static func read(_ path: String) throws -> LedgerPublicKey {
        let bytes = try BoundedFile.read(path, maximumBytes: maximumBytes)
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)), document.format == format,
            let key = LedgerPublicKey(bytes: Array(document.publicKey)), key.keyID == document.keyID
        else { throw CommandFailure("\(path) is no ledger key. samtal ledger-key writes one.") }
        return key
    }
}

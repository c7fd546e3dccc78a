import Foundation

/// The file form of certificates: JSON, the same bytes for the same certificates.
///
/// One: `{"format":"samtal-certificate","version":1,"certificate":{"key_id":…,"signature":base64,"statement":…}}`.
/// Many: `{"format":"samtal-certificate-chain","version":1,"certificates":[…]}`.
package enum CertificateFile: Sendable, Equatable {
    case certificate(Certificate)
    case chain([Certificate])

    package static let maximumBytes = 64 << 20
    package static let maximumCertificates = 100_000
    package static let version = 1

    /// Why a file is not one of certificates.
    package enum Problem: Error, Sendable, Equatable {
        case tooLarge
        case unreadable
        case unknownFormat
        case tooManyCertificates
    }

    /// - Throws: `tooLarge` or `tooManyCertificates` beyond what can be read again.
    package func encoded() throws(Problem) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        let document: Document
        switch self {
        case .certificate(let certificate):
            document = Document(format: Format.certificate, version: Self.version, certificate: Entry(certificate))
        case .chain(let certificates):
            guard certificates.count <= Self.maximumCertificates else { throw .tooManyCertificates }
            document = Document(
                format: Format.chain, version: Self.version, certificates: certificates.map(Entry.init))
        }
        guard let data = try? encoder.encode(document) else { throw .unreadable }
        guard data.count < Self.maximumBytes else { throw .tooLarge }
        return Array(data) + Array("\n".utf8)
    }

    package init(decoding bytes: [UInt8]) throws(Problem) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else { throw .unreadable }
        guard document.version == Self.version else { throw .unknownFormat }
        switch (document.format, document.certificate, document.certificates) {
        case (Format.certificate, .some(let entry), nil):
            self = .certificate(entry.certificate)
        case (Format.chain, nil, .some(let entries)):
            guard entries.count <= Self.maximumCertificates else { throw .tooManyCertificates }
            self = .chain(entries.map(\.certificate))
        default:
            throw .unknownFormat
        }
    }

    private enum Format {
        static let certificate = "samtal-certificate"
        static let chain = "samtal-certificate-chain"
    }

    private struct Document: Codable {
        var format: String
        var version: Int
        var certificate: Entry?
        var certificates: [Entry]?
    }

    private struct Entry: Codable {
        var keyID: String
        var signature: Data
        var statement: String

        enum CodingKeys: String, CodingKey {
            case keyID = "key_id"
            case signature, statement
        }

        init(_ certificate: Certificate) {
            keyID = certificate.keyID
            signature = Data(certificate.signature)
            statement = certificate.statement
        }

        var certificate: Certificate {
            Certificate(statement: statement, signature: Array(signature), keyID: keyID)
        }
    }
}

import Crypto
package import Foundation

/// One line of a ledger's anchor: what is on a second path, so that an older ledger is found out and completed.
///
///     CHECKSUM KIND FIELDS…
///
/// The checksum is the first 16 hexadecimal digits of the SHA-256 of what follows it and its space.
package enum AnchorRecord: Sendable, Equatable {
    /// The first line: whose anchor it is.
    case header(keyID: String)
    /// A certificate, whole: its number and hash, and what is only read where the ledger lacks it.
    case certificate(LedgerHead, AnchoredCertificate)
    /// The keys of a session are about to be destroyed: the certificate follows, sooner or later.
    case erasing(sessionDigest: String, ErasureReason)
    /// A copy of the session keys is to exist.
    case keyCopy(KeyCopy)
    /// The operator had the ledger go on without its anchor, after the number that is given.
    case accepted(after: Int64, time: Date)

    /// No line is longer: a statement, escaped, with its signature.
    package static let maximumBytes = 16_384
    private static let version = "1"
    private static let checksumLength = 16

    private enum Kind: String {
        case header = "samtal-ledger-anchor"
        case certificate, erasing, accepted
        case keyCopy = "key-copy"
    }

    /// Hex SHA-256 of a session's id: what an erasure that has begun is known by.
    package static func digest(ofSession id: String) -> String { hexadecimal(SHA256.hash(data: Array(id.utf8))) }

    /// With its line feed.
    package var line: [UInt8] {
        let text: String =
            switch self {
            case .header(let keyID): "\(Kind.header.rawValue) \(Self.version) \(keyID)"
            case .certificate(let head, let certificate):
                "\(Kind.certificate.rawValue) \(head.sequence) \(head.hash) \(certificate.json)"
            case .erasing(let digest, let reason):
                "\(Kind.erasing.rawValue) \(digest) \(reason.json)"
            case .keyCopy(let copy):
                "\(Kind.keyCopy.rawValue) \(LedgerTime.text(copy.createTime)) \(LedgerTime.text(copy.expireTime))"
            case .accepted(let after, let time):
                "\(Kind.accepted.rawValue) \(after) \(LedgerTime.text(time))"
            }
        let body = Array(text.utf8)
        return Array(Self.checksum(body[...]).utf8) + [UInt8(ascii: " ")] + body + [UInt8(ascii: "\n")]
    }

    /// Reads a line without its line feed; nil for what no ledger writes.
    package init?(line: ArraySlice<UInt8>) {
        guard line.count <= Self.maximumBytes, line.count > Self.checksumLength + 1 else { return nil }
        let body = line.dropFirst(Self.checksumLength + 1)
        guard line.prefix(Self.checksumLength + 1).elementsEqual((Self.checksum(body) + " ").utf8) else { return nil }
        let fields = body.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard let record = Self.record(fields) else { return nil }
        self = record
    }

    private static func record(_ fields: [String]) -> AnchorRecord? {
        switch (fields.first.flatMap(Kind.init(rawValue:)), fields.count) {
        case (.header, 3) where fields[1] == version:
            return .header(keyID: fields[2])
        case (.certificate, 4):
            guard let sequence = Int64(fields[1]), sequence > 0 else { return nil }
            return .certificate(
                LedgerHead(sequence: sequence, hash: fields[2]), AnchoredCertificate(json: fields[3]))
        case (.erasing, 3...):
            guard let reason = ErasureReason(json: fields.dropFirst(2).joined(separator: " ")) else { return nil }
            return .erasing(sessionDigest: fields[1], reason)
        case (.keyCopy, 3):
            guard let created = LedgerTime.date(text: fields[1]), let expires = LedgerTime.date(text: fields[2]) else {
                return nil
            }
            return .keyCopy(KeyCopy(createTime: created, expireTime: expires))
        case (.accepted, 3):
            guard let after = Int64(fields[1]), after >= 0, let time = LedgerTime.date(text: fields[2]) else {
                return nil
            }
            return .accepted(after: after, time: time)
        default:
            return nil
        }
    }

    private static func checksum(_ body: ArraySlice<UInt8>) -> String {
        String(hexadecimal(SHA256.hash(data: body)).prefix(checksumLength))
    }
}

/// A certificate as the anchor has it.
package struct AnchoredCertificate: Sendable, Equatable {
    let json: String

    init(json: String) { self.json = json }

    package init(_ certificate: Certificate) {
        json = AnchorJSON.text(
            Entry(
                keyID: certificate.keyID, signature: Data(certificate.signature), statement: certificate.statement))
    }

    /// Nil for what no ledger writes.
    package var certificate: Certificate? {
        guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(json.utf8)) else { return nil }
        return Certificate(statement: entry.statement, signature: Array(entry.signature), keyID: entry.keyID)
    }

    private struct Entry: Codable {
        var keyID: String
        var signature: Data
        var statement: String
    }
}

/// Why a session is being erased, and at whose word.
package struct ErasureReason: Sendable, Equatable {
    package var trigger: ErasureTrigger
    package var requester: ErasureRequester?

    package init(trigger: ErasureTrigger, requester: ErasureRequester?) {
        self.trigger = trigger
        self.requester = requester
    }

    private struct Members: Codable {
        var trigger: ErasureTrigger
        var by: String?
        var instruction: String?
    }

    var json: String {
        AnchorJSON.text(
            Members(trigger: trigger, by: requester?.name, instruction: requester?.instruction?.text))
    }

    init?(json: String) {
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(json.utf8)) else { return nil }
        trigger = members.trigger
        guard let by = members.by else {
            guard members.instruction == nil else { return nil }
            requester = nil
            return
        }
        guard let requester = ErasureRequester(name: by, instruction: members.instruction) else { return nil }
        self.requester = requester
    }
}

/// JSON in one line, the same bytes for the same values.
private enum AnchorJSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and bytes alone: there is nothing that can't be encoded.
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

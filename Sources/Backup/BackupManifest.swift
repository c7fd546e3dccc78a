internal import Crypto
package import Foundation

/// What one half of a backup holds: its content, or its keys. A file of JSON, and the SHA-256 of that in a second line.
package struct BackupManifest: Sendable, Equatable, Codable {
    package enum Half: String, Sendable, Codable { case content, keys }

    /// A file, by its path below the manifest.
    package struct File: Sendable, Equatable, Codable {
        package var path: String
        package var bytes: Int
        /// Hex SHA-256.
        package var sha256: String

        package init(path: String, bytes: Int, sha256: String) {
            self.path = path
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    package static let fileName = "MANIFEST"
    package static let maximumBytes = 256 << 20
    private static let format = "samtal-backup"
    private static let version = 1

    private var format = BackupManifest.format
    private var version = BackupManifest.version
    package var half: Half
    /// The same in both halves of a backup.
    package var backup: String
    package var createTime: Date
    /// Of keys: when they are to be gone.
    package var expireTime: Date?
    package var files: [File]

    package init(half: Half, backup: String, createTime: Date, expireTime: Date? = nil, files: [File]) {
        self.half = half
        self.backup = backup
        self.createTime = createTime
        self.expireTime = expireTime
        self.files = files.sorted { $0.path < $1.path }
    }

    /// Why a file is no manifest.
    package enum Problem: Error, Sendable { case unreadable, unknownVersion }

    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        let json = Array(try encoder.encode(self))
        return json + [10] + Array(Self.hexadecimal(SHA256.hash(data: json)).utf8) + [10]
    }

    package init(decoding bytes: [UInt8]) throws(Problem) {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        guard bytes.count <= Self.maximumBytes, lines.count == 3, lines[2].isEmpty,
            lines[1].elementsEqual(Self.hexadecimal(SHA256.hash(data: lines[0])).utf8)
        else { throw .unreadable }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let manifest = try? decoder.decode(Self.self, from: Data(lines[0])) else { throw .unreadable }
        guard manifest.format == Self.format, manifest.version == Self.version else { throw .unknownVersion }
        guard manifest.files.allSatisfy({ Self.isInside($0.path) }),
            Set(manifest.files.map(\.path)).count == manifest.files.count
        else { throw .unreadable }
        self = manifest
    }

    /// Whether a path that somebody else gave stays below the folder that it is relative to.
    package static func isInside(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return (1...8).contains(parts.count) && path.utf8.count <= 1_000
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy { (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }
            }
    }

    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

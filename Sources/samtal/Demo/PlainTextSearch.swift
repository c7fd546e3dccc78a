import Foundation

/// Looks for texts in every byte of every file of a folder, in each of the forms in which they could lie there.
struct PlainTextSearch {
    struct Result {
        var found: Int
        var texts: Int
        var files: Int
        var bytes: Int
    }

    private let patterns: [[Data]]

    init(texts: [String]) {
        patterns = texts.map(Self.forms)
    }

    /// UTF-8, UTF-16, JSON's escapes, and base64 at each of the three places where a text can begin in it.
    private static func forms(_ text: String) -> [Data] {
        let utf8 = Data(text.utf8)
        let utf16 = Data(text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
        let escaped = text.utf16.map { $0 < 128 ? String(UnicodeScalar(UInt8($0))) : String(format: "\\u%04x", $0) }
        // Only the characters that depend on no neighbour of the text are searched for.
        let base64 = (0..<3).map { offset in
            let padded = Data(repeating: 0, count: offset) + utf8
            let whole = padded.prefix(padded.count / 3 * 3)
            return Data(whole.base64EncodedString().dropFirst(offset == 0 ? 0 : 4).utf8)
        }
        return [utf8, utf16, Data(escaped.joined().utf8)] + base64.filter { $0.count >= 8 }
    }

    /// - Throws: when a file can't be read, since what was not read was not searched.
    func run(folder: String) throws -> Result {
        var result = Result(found: 0, texts: patterns.count, files: 0, bytes: 0)
        var seen = Set<Int>()
        let root = URL(fileURLWithPath: folder)
        guard let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: [.isRegularFileKey])
        else { throw CommandFailure("Can't read the folder \(folder).") }
        for case let file as URL in files {
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            let bytes = try Data(contentsOf: file, options: .mappedIfSafe)
            result.files += 1
            result.bytes += bytes.count
            for (index, forms) in patterns.enumerated()
            where !seen.contains(index) && forms.contains(where: { Self.contains(bytes, $0) }) {
                seen.insert(index)
            }
        }
        result.found = seen.count
        return result
    }

    /// By the C library's memchr and memcmp, many times as fast as Foundation's search: large folders are the point.
    private static func contains(_ bytes: Data, _ pattern: Data) -> Bool {
        bytes.withUnsafeBytes { haystack in
            pattern.withUnsafeBytes { needle in
                guard var at = haystack.baseAddress, let sought = needle.baseAddress else { return false }
                var left = haystack.count
                while left >= needle.count, let hit = memchr(at, Int32(needle[0]), left - needle.count + 1) {
                    if memcmp(hit, sought, needle.count) == 0 { return true }
                    left -= UnsafeRawPointer(hit) - at + 1
                    at = UnsafeRawPointer(hit) + 1
                }
                return false
            }
        }
    }
}

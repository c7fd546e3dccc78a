import Foundation
import Glibc

/// A folder with a name short enough for a socket in it (`sun_path` has 108 bytes), removed with all it holds.
struct TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/sid-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    static func with(_ body: (TemporaryFolder) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await body(folder)
    }

    /// The contents of every file below the folder, by path.
    func contents() throws -> [String: Data] {
        var contents: [String: Data] = [:]
        let names = try FileManager.default.subpathsOfDirectory(atPath: path)
        for name in names {
            let file = path + "/" + name
            let type = try FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType
            guard type == .typeRegular else { continue }
            contents[name] = try Data(contentsOf: URL(fileURLWithPath: file))
        }
        return contents
    }
}

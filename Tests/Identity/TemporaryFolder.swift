import Foundation

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

    static func with<Value>(_ body: (TemporaryFolder) async throws -> Value) async throws -> Value {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        return try await body(folder)
    }

    /// The contents of every file below the folder, by path.
    func contents() throws -> [String: Data] {
        var contents: [String: Data] = [:]
        let names = try FileManager.default.subpathsOfDirectory(atPath: path)
        for name in names {
            let file = path + "/" + name
            var status = stat()
            guard lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            contents[name] = try Data(contentsOf: URL(fileURLWithPath: file))
        }
        return contents
    }
}

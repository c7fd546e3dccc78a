/// The files that a server knows, found by what they hold. Never changes.
struct ProtoFileIndex: Sendable {
    private let files: [String: ProtoFile]
    /// Names of files, by the full names of what they declare.
    private let bySymbol: [String: String]
    /// Names of files, by what they extend.
    private let byExtension: [ProtoFile.Extension: String]

    /// Of two files with one name, the first counts.
    init(_ files: [ProtoFile]) {
        let files = Dictionary(files.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.files = files
        bySymbol = Dictionary(
            files.values.flatMap { file in file.symbols.map { ($0, file.name) } },
            uniquingKeysWith: { first, _ in first })
        byExtension = Dictionary(
            files.values.flatMap { file in file.extensions.map { ($0, file.name) } },
            uniquingKeysWith: { first, _ in first })
    }

    subscript(_ name: String) -> ProtoFile? { files[name] }

    func file(declaring symbol: String) -> ProtoFile? {
        bySymbol[symbol].flatMap { files[$0] }
    }

    func file(extending type: String, with number: Int32) -> ProtoFile? {
        byExtension[ProtoFile.Extension(of: type, number: number)].flatMap { files[$0] }
    }

    /// In ascending order; nil for a type that no file declares.
    func extensionNumbers(of type: String) -> [Int32]? {
        guard bySymbol[type] != nil else { return nil }
        return byExtension.keys.filter { $0.type == type }.map(\.number).sorted()
    }

    /// The file, and every file it imports, directly or not, except those of which the caller has no need.
    func withImports(_ file: ProtoFile, except known: Set<String>) -> [ProtoFile] {
        var found = [file]
        var seen = known.union([file.name])
        var next = 0
        while next < found.count {
            for name in found[next].dependencies where seen.insert(name).inserted {
                if let file = files[name] { found.append(file) }
            }
            next += 1
        }
        return found
    }
}

import Foundation

/// The access rules as the .proto files state them, read without any of the project's generators.
struct ContractReading {
    struct Method: Sendable {
        var path: String
        /// Principals by role, in the lower-case names that the project uses.
        var grants: [String: Set<String>]
    }

    let methods: [Method]

    init() throws {
        let protos = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Protos/samtal")
        methods = try ["identity", "chat", "retention", "deployment", "clock", "backup"].flatMap { name in
            try Self.methods(
                in: String(contentsOf: protos.appendingPathComponent("\(name)/v1/\(name).proto"), encoding: .utf8))
        }
    }

    private static func methods(in source: String) throws -> [Method] {
        var package = ""
        var service = ""
        var found: [Method] = []
        for line in source.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("//") { continue }
            if line.hasPrefix("package ") { package = String(line.dropFirst(8).dropLast()) }
            if line.hasPrefix("service ") { service = String(line.split(separator: " ")[1]) }
            if line.hasPrefix("rpc "), let name = line.dropFirst(4).split(separator: "(").first {
                found.append(Method(path: "/\(package).\(service)/\(name)", grants: [:]))
            }
            if line.hasPrefix("allow: {role: ") { add(line, to: &found[found.count - 1]) }
        }
        return found
    }

    /// `allow: {role: GATEWAY principals: [ANYONE, PARTICIPANT]}`
    private static func add(_ line: String, to method: inout Method) {
        let words = line.dropFirst("allow: {role: ".count).lowercased()
            .split { !$0.isLetter }.map(String.init).filter { $0 != "principals" }
        method.grants[words[0], default: []].formUnion(words.dropFirst())
    }
}

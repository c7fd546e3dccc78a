internal import Foundation
internal import SwiftProtobufPluginLibrary

/// Run by protoc as a plugin, or by `Scripts/generate-protos` on a descriptor set:
///
///     protoc-gen-samtal --c-descriptors INPUT OUTPUT
///     protoc-gen-samtal --files MODULE INPUT OUTPUT
@main
enum Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.first?.hasPrefix("--") == true else {
            SamtalGenerator.main()
            return
        }
        do {
            try convert(arguments)
        } catch {
            FileHandle.standardError.write(Data("protoc-gen-samtal: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func convert(_ arguments: [String]) throws {
        switch (arguments[0], arguments.count) {
        case ("--c-descriptors", 3):
            try CDescriptors.forProtocC(contents(arguments[1])).write(to: URL(fileURLWithPath: arguments[2]))
        case ("--files", 4):
            let module = try Module(name: arguments[1])
            let source = try FileTable.source(module, descriptors: contents(arguments[2]))
            try Data(source.utf8).write(to: URL(fileURLWithPath: arguments[3]))
        default:
            throw Failure(description: "usage: --c-descriptors INPUT OUTPUT, or --files MODULE INPUT OUTPUT")
        }
    }

    private static func contents(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path))
    }
}

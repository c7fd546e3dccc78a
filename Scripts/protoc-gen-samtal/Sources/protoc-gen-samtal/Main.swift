internal import Foundation
internal import SwiftProtobufPluginLibrary

/// Run by protoc as a plugin, or by `Scripts/generate-protos` with `--c-descriptors` and two file names.
@main
enum Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.first == "--c-descriptors" else {
            SamtalGenerator.main()
            return
        }
        guard arguments.count == 3, let input = arguments.dropFirst().first, let output = arguments.last else {
            fail("usage: protoc-gen-samtal --c-descriptors INPUT OUTPUT")
        }
        do {
            let descriptors = try Data(contentsOf: URL(fileURLWithPath: input))
            try CDescriptors.forProtocC(descriptors).write(to: URL(fileURLWithPath: output))
        } catch {
            fail("protoc-gen-samtal: \(error)")
        }
    }

    private static func fail(_ message: String) -> Never {
        FileHandle.standardError.write(Data((message + "\n").utf8))
        exit(1)
    }
}

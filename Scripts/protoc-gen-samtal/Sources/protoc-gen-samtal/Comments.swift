internal import Foundation
internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

extension ProvidesSourceCodeLocation {
    /// The comment of a declaration, without markers, or empty. What comes before a declaration and what stands behind
    /// it on its line are joined.
    var comment: String {
        guard let location = sourceCodeInfoLocation else { return "" }
        return [location.leadingComments, location.trailingComments]
            .map(trimmedLines)
            .filter { !$0.isEmpty }
            .joined(separator: "\n\n")
    }

    /// The line the declaration begins on, from 1.
    var line: Int {
        guard let start = sourceCodeInfoLocation?.span.first else { return 0 }
        return Int(start) + 1
    }
}

extension FileDescriptor {
    /// The comment at the head of the file.
    var headComment: String {
        let syntaxField = Google_Protobuf_FileDescriptorProto.syntaxFieldNumber
        guard let location = sourceCodeInfoLocation(path: IndexPath(index: syntaxField)) else { return "" }
        return trimmedLines(location.leadingComments)
    }
}

extension Google_Protobuf_FileDescriptorProto {
    /// The number of `syntax` in descriptor.proto.
    fileprivate static var syntaxFieldNumber: Int { 12 }
}

private func trimmedLines(_ comment: String) -> String {
    comment.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
        .joined(separator: "\n")
        .trimmingCharacters(in: .newlines)
}

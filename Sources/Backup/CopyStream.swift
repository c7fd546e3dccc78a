package import Contracts
internal import Crypto
package import Foundation
package import RPC

/// Sends the files of a copy to its caller, in chunks, each file with its SHA-256. One task at a time has it.
package struct CopyStream: Sendable {
    /// The bytes of one chunk at most.
    package static let chunk = 65_536

    private let writer: ResponseWriter<BackupV1.BackupChunk>

    package init(_ writer: ResponseWriter<BackupV1.BackupChunk>) { self.writer = writer }

    /// Sends a file of the disk.
    /// - Parameter name: its path in the service's folder.
    /// - Throws: `RPCError` INTERNAL if it can't be read.
    package func send(_ name: String, from path: String) async throws {
        guard let file = FileHandle(forReadingAtPath: path) else { throw Self.unreadable }
        defer { try? file.close() }
        try await send(name) {
            do { return try file.read(upToCount: Self.chunk) ?? Data() } catch { throw Self.unreadable }
        }
    }

    /// Sends a file that is made of parts, until one is empty.
    package func send(_ name: String, parts next: () async throws -> Data) async throws {
        var digest = SHA256()
        var part = try await next()
        while true {
            let following = part.isEmpty ? Data() : try await next()
            digest.update(data: part)
            let isLast = following.isEmpty
            for start in stride(from: 0, to: max(part.count, 1), by: Self.chunk) {
                let slice = part.dropFirst(start).prefix(Self.chunk)
                let isLastSlice = isLast && start + Self.chunk >= part.count
                try await writer.send(
                    .init(
                        file: name, data: Array(slice), sha256: isLastSlice ? Array(digest.finalize()) : []))
            }
            if isLast { return }
            part = following
        }
    }

    /// The file is gone since it was sent.
    package func remove(_ name: String) async throws {
        try await writer.send(.init(file: name, removed: true))
    }

    /// The file is damaged, and is left out.
    package func leaveOut(_ name: String) async throws {
        try await writer.send(.init(file: name, unreadable: true))
    }

    private static let unreadable = RPCError(.internal, "a file can't be copied", reason: "COPY_FAILED")
}

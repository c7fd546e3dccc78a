package import Contracts
package import Foundation
package import Logging
package import RPC
internal import ServiceKit
internal import Synchronization

/// What a service copies of its own.
package protocol ContentCopying: Sendable {
    /// Sends every file, each as it was at one moment, and all of them as they fit together.
    /// - Parameter way: a folder for copies on the way; emptied by the caller.
    func copyContent(by way: String, to stream: CopyStream) async throws
}

/// What the service that has the session keys copies of them.
package protocol KeyCopying: Sendable {
    /// Puts on record that a copy is to exist for so many days, before any key leaves.
    /// - Returns: since when, and until when.
    func recordCopy(days: Int) async throws -> (created: Date, expires: Date)
    func copyKeys(to stream: CopyStream) async throws
    func finishCopy() async
}

/// Serves copies of what a service keeps, one at a time.
package final class BackupHandler: BackupV1.BackupServiceHandler {
    /// For how many days a copy of keys may be said to exist.
    package static let days = 1...31

    private let folder: String
    private let content: any ContentCopying
    private let keys: (any KeyCopying)?
    private let mapping: @Sendable (any Error) -> any Error
    private let logger: Logger
    private let isTaken = Mutex(false)

    /// - Parameters:
    ///   - folder: the service's own; what an earlier process left of a copy in it is removed.
    ///   - keys: nil: the service has none.
    ///   - mapping: makes a status of the service's own errors.
    package init(
        folder: String, content: any ContentCopying, keys: (any KeyCopying)? = nil, logger: Logger,
        mapping: @escaping @Sendable (any Error) -> any Error
    ) {
        self.folder = folder + "/copying"
        self.content = content
        self.keys = keys
        self.logger = logger
        self.mapping = mapping
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    package func copyContent(
        _ request: BackupV1.CopyContentRequest, writer: ResponseWriter<BackupV1.BackupChunk>, call: ServerCall
    ) async throws {
        try await alone {
            try? FileManager.default.removeItem(atPath: folder)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try await content.copyContent(by: folder, to: CopyStream(writer))
            logger.notice("a copy of the content was taken")
        }
    }

    package func recordKeyCopy(
        _ request: BackupV1.RecordKeyCopyRequest, call: ServerCall
    ) async throws -> BackupV1.KeyCopy {
        guard let days = Int(exactly: request.keysDays), Self.days.contains(days) else {
            throw RPCError.invalid("keys_days", "must be \(Self.days.lowerBound) to \(Self.days.upperBound)")
        }
        return try await alone {
            let copy = try await held().recordCopy(days: days)
            logger.notice("a copy of the session keys is on record")
            return BackupV1.KeyCopy(createTime: .init(copy.created), expireTime: .init(copy.expires))
        }
    }

    package func copyKeys(
        _ request: BackupV1.CopyKeysRequest, writer: ResponseWriter<BackupV1.BackupChunk>, call: ServerCall
    ) async throws {
        try await alone {
            try await held().copyKeys(to: CopyStream(writer))
            logger.notice("a copy of the session keys was taken")
        }
    }

    package func finishKeyCopy(
        _ request: BackupV1.FinishKeyCopyRequest, call: ServerCall
    ) async throws -> BackupV1.FinishKeyCopyResponse {
        try await held().finishCopy()
        return .init()
    }

    private func held() throws -> any KeyCopying {
        guard let keys else {
            throw RPCError(.unimplemented, "this service has no session keys", reason: "NO_KEYS")
        }
        return keys
    }

    /// One copy at a time.
    private func alone<Value>(_ body: () async throws -> Value) async throws -> Value {
        let isFree = isTaken.withLock { taken in
            defer { taken = true }
            return !taken
        }
        guard isFree else {
            throw RPCError(
                .resourceExhausted, "a copy is being taken; try again when that is done", reason: "COPY_UNDER_WAY",
                retryAfter: .seconds(5))
        }
        defer { isTaken.withLock { $0 = false } }
        do { return try await body() } catch { throw mapping(error) }
    }
}

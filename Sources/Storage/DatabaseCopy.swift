internal import Foundation
public import GRDB

/// A database as it is at one moment, in a file of its own.
///
/// Called within a read of a store; writes go on meanwhile. There is no short form for it here: a read of a known type
/// in this module, optimised across modules, crashes the compiler (6.3.1) in every module that uses it.
public enum DatabaseCopy {
    /// Copies what a connection sees.
    /// - Parameter path: of a file (0600) that is not there yet. If this fails, it is not there either.
    public static func write(_ source: Database, to path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "the copy can't be created") }
        close(descriptor)
        do {
            var configuration = GRDB.Configuration()
            configuration.label = "samtal.storage.copy"
            configuration.prepareDatabase { db in
                // Not synchronised: callers make the copy durable where it is to last.
                try db.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY")
            }
            let target = try DatabaseQueue(path: path, configuration: configuration)
            try target.writeWithoutTransaction { target in try source.backup(to: target) }
            try target.close()
        } catch {
            unlink(path)
            throw StorageError.wrapping(error, while: "copying the database")
        }
    }
}

internal import Foundation
internal import GRDB

/// What went wrong in the store itself. Never holds a stored value or a bound argument, so it may be logged.
public struct StorageError: Error, Sendable, Equatable {
    public enum Code: Sendable, Hashable {
        /// The queue of writes is full: try again later. Nothing was written.
        case overloaded
        /// A lock was not free within its time.
        case busy
        /// No room on the disk, or the file's size limit is reached.
        case full
        /// The file is not a database, or is damaged.
        case corrupt
        /// Another process, or another store of this one, has the file open.
        case locked
        /// The file was written by a newer version, with migrations that this one does not know.
        case newerSchema
        /// There is no such file.
        case missing
        /// The store is closed, or closing.
        case closed
        /// Anything else: input and output errors, missing permissions, SQL that does not fit the schema.
        case other
    }

    public var code: Code
    /// A fixed sentence for people who read logs.
    public var message: String
    /// SQLite's extended result code (https://www.sqlite.org/rescode.html), or nil if SQLite was not the cause.
    public var sqliteCode: Int32?
    /// The bound that was reached; nil unless the code is `overloaded`.
    public var bound: Bound?

    /// What a full queue is called.
    public enum Bound: String, Sendable, Hashable, CaseIterable {
        /// All writes that wait.
        case waitingWrites = "waiting-writes"
        /// Those on one account.
        case waitingWritesOfAccount = "waiting-writes-of-account"
    }

    public init(_ code: Code, _ message: String, sqliteCode: Int32? = nil, bound: Bound? = nil) {
        self.code = code
        self.message = message
        self.sqliteCode = sqliteCode
        self.bound = bound
    }
}

extension StorageError: CustomStringConvertible {
    public var description: String {
        sqliteCode.map { "\(message) (SQLite \($0))" } ?? message
    }
}

extension StorageError {
    /// A file that can't be made or kept.
    init(errno code: Int32, _ what: String) {
        switch code {
        case ENOSPC, EDQUOT: self.init(.full, "\(what): the disk is full")
        default: self.init(.other, "\(what) (errno \(code))")
        }
    }

    /// Keeps the code of a GRDB error and drops its message and its SQL.
    init(_ error: DatabaseError, while activity: String) {
        let (code, reason): (Code, String) =
            switch error.resultCode {
            case .SQLITE_FULL: (.full, "the disk is full")
            // What is shared by the processes' readers of the log grows by as much as the disk has room for.
            case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE: (.full, "the disk is full")
            case .SQLITE_BUSY, .SQLITE_LOCKED: (.busy, "the database is busy")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: (.corrupt, "the database is damaged")
            case .SQLITE_IOERR: (.other, "input or output failed")
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: (.other, "the database can't be opened or written")
            default: (.other, "the database refused")
            }
        self.init(code, "\(activity): \(reason)", sqliteCode: error.extendedResultCode.rawValue)
    }

    /// What a caller is told about an error that its body threw. A violated constraint stays as it is, because what it
    /// means is the caller's business; any other error of the database becomes a ``StorageError``.
    static func translating(_ error: any Error, while activity: String) -> any Error {
        guard let error = error as? DatabaseError, error.resultCode != .SQLITE_CONSTRAINT else { return error }
        return StorageError(error, while: activity)
    }

    /// The same for what the store does on its own behalf, where every error is a ``StorageError``.
    static func wrapping(_ error: any Error, while activity: String) -> StorageError {
        switch error {
        case let error as StorageError: error
        case let error as DatabaseError: StorageError(error, while: activity)
        default: StorageError(.other, "\(activity): \(type(of: error))")
        }
    }
}

extension StorageError {
    /// An error of the database as one of the store, without what it says; any other as it is.
    public static func translated(_ error: any Error) -> any Error {
        (error as? DatabaseError).map { StorageError($0, while: "writing") } ?? error
    }
}

public import GRDB

/// What a body of ``SQLiteStore/write(_:)`` works with. Valid while the body runs.
public struct WriteTransaction {
    /// The writing connection, inside the transaction. `cachedStatement(sql:)` keeps statements compiled from one body
    /// to the next. A body must not begin, commit or roll back a transaction.
    public var db: Database

    private(set) var commitActions: [@Sendable () -> Void] = []

    init(db: Database) {
        self.db = db
    }

    /// Runs `action` once the body's changes are durable, before `write` returns. Actions of all bodies run in the order
    /// of the bodies, one after the other, on the writer's thread: keep them short, and don't use the store in them.
    /// Nothing runs if the body throws or the commit fails.
    public mutating func onCommit(_ action: @escaping @Sendable () -> Void) {
        commitActions.append(action)
    }
}

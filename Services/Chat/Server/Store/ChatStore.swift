internal import ChatCore
internal import ServiceKit
package import Storage

/// The rows of chat, in one SQLite file that this process alone writes. Every SQL statement of chat is in this type's files.
///
/// Knows ciphertext and digests, never a text or a name.
package final class ChatStore: Sendable {
    let database: SQLiteStore
    let counters = SessionCounters()
    /// For what is read by the page. A single row needs no turn.
    let turns: Turns

    package init(database: SQLiteStore) {
        self.database = database
        turns = Turns(width: SQLiteStore.Configuration().readerLimit)
    }

    /// - Parameter path: Of the database file; created with its folder where missing.
    package convenience init(path: String) throws {
        self.init(database: try SQLiteStore(path: path, migrator: ChatSchema.migrator))
    }

    package func close() async {
        await database.close()
    }

    /// A write in which the counters of one session may change. If it fails they are read anew from what is stored.
    func write<T: Sendable>(
        countingFor session: Int64, _ body: @escaping @Sendable (inout WriteTransaction) throws -> T
    ) async throws -> T {
        do {
            return try await database.write(account: session, body)
        } catch let error as ChatError {
            // Refused before anything was counted.
            throw error
        } catch {
            counters.forget(session)
            throw error
        }
    }
}

internal import Foundation
internal import GRDB
package import IdentityCore
package import Storage

/// What identity remembers, in one SQLite file. The rules are Core's; here they meet rows, each within one transaction.
///
/// Methods throw `IdentityError` for what is refused and `StorageError` when the store itself fails.
package struct IdentityStore: Sendable {
    let database: SQLiteStore
    let limits: IdentityLimits
    /// The sign-ins that were ended lately.
    package let revocations = RevocationRegister()

    /// - Parameters:
    ///   - path: the file; its folder is made if it is missing.
    ///   - reserve: what is kept on the disk for erasing.
    package init(path: String, limits: IdentityLimits = IdentityLimits(), reserve: DiskReserve? = nil) throws {
        self.limits = limits
        var configuration = SQLiteStore.Configuration()
        configuration.reserve = reserve
        database = try SQLiteStore(path: path, migrator: IdentitySchema.migrator, configuration: configuration)
    }

    package func close() async {
        await database.close()
    }
}

extension IdentityStore {
    package func add(_ organisation: Organisation) async throws {
        try await database.write(for: .keeping) { transaction in
            try transaction.db.cachedStatement(
                sql: "INSERT INTO organisation (\(Organisation.columns)) VALUES (?, ?, ?, ?)"
            ).execute(
                arguments: [
                    organisation.id, organisation.displayName, organisation.createTime.millisecondsSince1970,
                    organisation.firstSignInTime?.millisecondsSince1970,
                ])
        }
    }

    package func organisation(_ id: String) async throws -> Organisation {
        try await database.read { db in try Self.organisation(id, in: db) }
    }

    /// The next organisations in order of creation, `limit` at most.
    package func organisations(after position: ListPosition?, limit: Int) async throws -> [Organisation] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(Organisation.columns) FROM organisation
                    WHERE (create_time, id) > (?, ?) ORDER BY create_time, id LIMIT ?
                    """)
            return try Row.fetchAll(statement, arguments: position.keys + [limit]).map(Organisation.init)
        }
    }

    static func organisation(_ id: String, in db: Database) throws -> Organisation {
        let statement = try db.cachedStatement(sql: "SELECT \(Organisation.columns) FROM organisation WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]) else { throw IdentityError.organisationNotFound }
        return Organisation(row: row)
    }
}

extension ListPosition? {
    /// What the list's order is compared with: every entry comes after (-1, "").
    var keys: StatementArguments {
        [self?.createTime.millisecondsSince1970 ?? -1, self?.id ?? ""]
    }
}

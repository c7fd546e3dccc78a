internal import Foundation
internal import GRDB
package import IdentityCore
internal import Storage

extension IdentityStore {
    /// - Throws: `organisationNotFound`, `administratorsOnly`, `emailInUse`, `tooManyAdministrators`.
    package func add(_ administrator: Administrator, by requester: Requester) async throws {
        try await database.write(for: .keeping) { [limits] transaction in
            let db = transaction.db
            try Self.organisation(administrator.organisationID, in: db).requireDecision(of: requester)
            // Nothing is written between the question and the insertion: there is one writer.
            guard try Self.administrator(email: administrator.email, in: db) == nil else {
                throw IdentityError.emailInUse
            }
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM administrator WHERE organisation_id = ?",
                arguments: [administrator.organisationID])
            guard count ?? 0 < limits.administratorsPerOrganisation else {
                throw IdentityError.tooManyAdministrators(most: limits.administratorsPerOrganisation)
            }
            try db.cachedStatement(
                sql: "INSERT INTO administrator (\(Administrator.columns)) VALUES (?, ?, ?, ?, ?, ?)"
            ).execute(
                arguments: [
                    administrator.id, administrator.organisationID, administrator.email.text, administrator.email.key,
                    administrator.displayName, administrator.createTime.millisecondsSince1970,
                ])
        }
    }

    /// The organisation's next administrators in order of creation, `limit` at most.
    /// - Throws: `organisationNotFound`.
    package func administrators(
        of organisationID: String, after position: ListPosition?, limit: Int
    ) async throws -> [Administrator] {
        try await database.read { db in
            _ = try Self.organisation(organisationID, in: db)
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(Administrator.columns) FROM administrator
                    WHERE organisation_id = ? AND (create_time, id) > (?, ?) ORDER BY create_time, id LIMIT ?
                    """)
            return try Row.fetchAll(statement, arguments: [organisationID] + position.keys + [limit])
                .map(Administrator.init)
        }
    }

    static func administrator(email: EmailAddress, in db: Database) throws -> Administrator? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(Administrator.columns) FROM administrator WHERE email_key = ?")
        return try Row.fetchOne(statement, arguments: [email.key]).map(Administrator.init)
    }

    /// - Throws: `administratorNotFound`.
    static func administrator(_ id: String, in db: Database) throws -> Administrator {
        let statement = try db.cachedStatement(sql: "SELECT \(Administrator.columns) FROM administrator WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]) else { throw IdentityError.administratorNotFound }
        return Administrator(row: row)
    }
}

package import Foundation
import GRDB
package import KeySlots
package import RetentionCore
import Storage

extension RetentionStore {
    static func keyVersions(_ row: Row) throws -> ContentKeyVersions {
        guard let change = ContentKeyVersions.Change(rawValue: row["key_change"]) else {
            throw StoredValueError.unreadable
        }
        return ContentKeyVersions(current: row["key_version"], change: change)
    }

    static func keyDestruction(_ row: Row) -> KeyDestruction? {
        guard let slots = row["key_slots"] as Int64?, let medium = row["key_medium"] as String? else { return nil }
        let risks = (row["key_risks"] as String?) ?? ""
        return KeyDestruction(
            slots: slots, readBack: (row["key_read_back"] as String?).flatMap(KeyDestruction.ReadBack.init(rawValue:)),
            place: (row["key_place"] as String?).flatMap(KeyDestruction.Place.init(rawValue:)), medium: medium,
            risks: risks.split(separator: " ").map(String.init))
    }

    /// Those of the sessions that there are, in the order of the ids.
    package func sessions(_ ids: [String]) async throws -> [RetainedSession] {
        try await database.read { db in try ids.compactMap { try Self.session($0, db) } }
    }

    /// Marks the keys of these sessions as destroyed, where that was the next step.
    package func markKeysDestroyed(_ seen: [(id: String, destruction: KeyDestruction)], at now: Date) async throws {
        let time = LedgerTime.rounded(now)
        try await database.write(for: .erasing) { transaction in
            for (id, destruction) in seen {
                guard var session = try Self.session(id, transaction.db), session.erasure.nextStep == .destroyKey
                else { continue }
                try session.destroyedKeys(destruction, at: time)
                try Self.update(session, transaction.db)
            }
        }
    }

    /// Notes that chat has spoken of these sessions.
    package func noteHeld(_ ids: [String]) async throws {
        guard !ids.isEmpty else { return }
        try await database.write { transaction in
            for id in ids {
                try transaction.db.execute(sql: "UPDATE sessions SET held = 1 WHERE session_id = ?", arguments: [id])
            }
        }
    }

    /// Forgets a session of which nothing was ever kept.
    ///
    /// - Returns: the session as it was; nil when there is none.
    /// - Throws: `RetentionError.sessionInUse` once it has ended or its erasure has begun.
    package func withdraw(_ id: String) async throws -> RetainedSession? {
        try await database.write(for: .erasing) { transaction in
            guard let session = try Self.session(id, transaction.db) else { return nil }
            guard session.erasure == .live, session.endTime == nil else { throw RetentionError.sessionInUse }
            try transaction.db.execute(sql: "DELETE FROM sessions WHERE session_id = ?", arguments: [id])
            return session
        }
    }

    /// Sessions whose content key was replaced, and whose old key may still be there, in the order of the ids.
    package func retiringKeys(after id: String, limit: Int) async throws -> [RetainedSession] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM sessions WHERE key_change = 2 AND session_id > ? ORDER BY session_id LIMIT ?",
                arguments: [id, limit]
            ).map(Self.session)
        }
    }

    /// Sessions by what is to be expected of their keys.
    package enum KeyState: Sendable {
        /// They may have keys.
        case held
        /// They must have none, and it is not certified yet.
        case destroyed
        /// They must have none.
        case certified

        var condition: String {
            switch self {
            case .held: "erasure IN ('live', 'requested')"
            case .destroyed: "erasure IN ('key-destroyed', 'content-erased')"
            case .certified: "erasure NOT IN ('live', 'requested', 'key-destroyed', 'content-erased')"
            }
        }
    }

    /// The sessions of one state, a page at a time, in the order of the ids.
    package func keyVersions(
        _ state: KeyState, after id: String, limit: Int
    ) async throws -> [(id: String, versions: ContentKeyVersions)] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT session_id, key_version, key_change FROM sessions WHERE session_id > ? AND \(state.condition)
                    ORDER BY session_id LIMIT ?
                    """, arguments: [id, limit]
            ).map { row in (row["session_id"], try Self.keyVersions(row)) }
        }
    }

    /// Notes keys that belong to no session, and forgets those that are gone.
    ///
    /// - Returns: those that were first seen at `time` or before.
    package func noteStrayKeys(_ names: Set<KeyName>, now: Date, seenBy time: Date) async throws -> Set<KeyName> {
        try await database.write { transaction in
            let db = transaction.db
            let known = Set(try Data.fetchAll(db, sql: "SELECT name FROM stray_keys"))
            let held = Dictionary(uniqueKeysWithValues: names.map { (Data($0.digest), $0) })
            for name in known where held[name] == nil {
                try db.execute(sql: "DELETE FROM stray_keys WHERE name = ?", arguments: [name])
            }
            for name in held.keys where !known.contains(name) {
                try db.execute(
                    sql: "INSERT INTO stray_keys (name, seen_time) VALUES (?, ?)",
                    arguments: [name, LedgerTime.milliseconds(now)])
            }
            let old = try Data.fetchAll(
                db, sql: "SELECT name FROM stray_keys WHERE seen_time <= ?",
                arguments: [LedgerTime.milliseconds(time)])
            return Set(old.compactMap { held[$0] })
        }
    }
}

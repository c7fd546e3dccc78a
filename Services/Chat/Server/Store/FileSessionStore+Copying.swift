package import Backup
internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

// Copying everything while sessions go on: their files one at a time, then the index that fits them.
extension FileSessionStore: ContentCopying {
    /// How often the index is looked at again. What changes in a session's row while its file is copied is seldom; where it
    /// never ends, the last look counts, and a start from the copy looks into what does not fit.
    private static let rounds = 10
    private static let folderName = "sessions"

    package func copyContent(by way: String, to stream: CopyStream) async throws {
        var copied: [String: StoredSession] = [:]
        for round in 1...Self.rounds {
            let path = "\(way)/index-\(round).sqlite"
            let listed = try await index.copy(to: path)
            let stale = listed.filter { copied[$0.id] != $0 }
            let gone = Set(copied.keys).subtracting(listed.map(\.id))
            for id in gone {
                try await stream.remove("\(Self.folderName)/\(OpenFiles.name(of: id))")
                copied[id] = nil
            }
            guard !stale.isEmpty, round < Self.rounds else {
                return try await stream.send("index.sqlite", from: path)
            }
            unlink(path)
            for session in stale {
                copied[session.id] = session
                try await copy(session.id, by: way, to: stream)
            }
        }
    }

    /// One that is being erased is left out; it is not in the index that comes with the copy.
    private func copy(_ id: String, by way: String, to stream: CopyStream) async throws {
        let (name, path) = ("\(Self.folderName)/\(OpenFiles.name(of: id))", "\(way)/session.sqlite")
        unlink(path)
        do {
            try await with(id) { file in
                try await file.read { content in try DatabaseCopy.write(content.db, to: path) }
            }
        } catch let error as ChatError {
            return try await error == .sessionNotFound ? stream.remove(name) : stream.leaveOut(name)
        }
        defer { unlink(path) }
        try await stream.send(name, from: path)
    }
}

extension SessionIndex {
    /// Copies the index as it is now.
    /// - Returns: The sessions that the copy lists.
    func copy(to path: String) async throws -> [StoredSession] {
        try await database.read { db in
            try DatabaseCopy.write(db, to: path)
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT \(StoredSession.columns) FROM session
                    WHERE phase <= \(IndexSchema.Phase.changing.rawValue) ORDER BY id
                    """
            ).map(StoredSession.init)
        }
    }
}

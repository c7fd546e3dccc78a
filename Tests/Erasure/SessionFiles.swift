import ChatCore
import Foundation
import GRDB

/// Chat's files, read beside it.
struct SessionFiles {
    let data: String

    func path(of session: String) -> String { "\(data)/chat/sessions/\(session).sqlite" }

    /// Every sealed text of a session: of its questions, and its title in the index.
    func texts(of session: String) throws -> [SealedText] {
        var texts: [SealedText] = []
        try reading(path(of: session)) { db in
            for row in try Row.fetchAll(db, sql: "SELECT id, text, author_name FROM question") {
                let (id, text, name): (String, Data, Data?) = (row[0], row[1], row[2])
                texts.append(.init(session: session, field: .questionText(questionID: id), sealed: [UInt8](text)))
                if let name, !name.isEmpty {
                    texts.append(.init(session: session, field: .authorName(questionID: id), sealed: [UInt8](name)))
                }
            }
            for row in try Row.fetchAll(db, sql: "SELECT id, text FROM answer") {
                let text: Data = row[1]
                texts.append(.init(session: session, field: .answerText(answerID: row[0]), sealed: [UInt8](text)))
            }
        }
        try reading("\(data)/chat/index.sqlite") { db in
            let title = try Data.fetchOne(db, sql: "SELECT title FROM session WHERE id = ?", arguments: [session])
            if let title { texts.append(.init(session: session, field: .title, sealed: [UInt8](title))) }
        }
        return texts
    }

    /// From a copy, so that what is on the disk under test is chat's alone.
    private func reading(_ path: String, _ body: (Database) throws -> Void) throws {
        let folder = "/tmp/samtal-copy-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: path + end) {
            try FileManager.default.copyItem(atPath: path + end, toPath: "\(folder)/copy.sqlite\(end)")
        }
        try DatabaseQueue(path: "\(folder)/copy.sqlite").read(body)
    }
}

internal import ChatCore
internal import Foundation
internal import GRDB
internal import Storage

/// One session's file while it is open: its outline in memory, and all SQL that runs in it.
///
/// The file is the truth about the session. Writes are noted in the outline as they are made and taken back if their
/// transaction fails. Not `Sendable`: used inside ``use(_:)`` by whoever holds the session's turn.
final class SessionContent {
    /// What a write did to the outline, to be taken back.
    enum Noted {
        case session(StoredSession)
        case sessionAlone(StoredSession)
        case question(id: String, request: [UInt8])
        case change(of: Int64, before: SessionOutline.Question)
        case answer(to: Int64, request: [UInt8])
    }

    private let file: SQLiteFile
    let db: Database
    var outline: SessionOutline
    private var noted: [Noted] = []
    private var commitActions: [@Sendable () -> Void] = []
    /// Why the transaction as a whole can't be committed.
    private var failure: (any Error)?
    /// Why the file is not to be used any more.
    private(set) var damage: StorageError?

    /// Compiled once for the file's time in memory: looking one up costs as much as running it.
    lazy var insertQuestion = Result {
        try BoundStatement(
            db,
            sql: """
                INSERT INTO question (number, sequence, id, author, request, ask_time, author_name, text)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
    }
    lazy var insertEvent = Result {
        try db.makeStatement(sql: "INSERT INTO event (sequence, question, state) VALUES (?, ?, ?)")
    }
    lazy var selectQuestion = Result {
        try db.makeStatement(
            sql: "SELECT id, author, ask_time, author_name, text FROM question WHERE number = ?")
    }
    private lazy var beginning = Result { try db.makeStatement(sql: "BEGIN IMMEDIATE TRANSACTION") }
    private lazy var committing = Result { try db.makeStatement(sql: "COMMIT TRANSACTION") }

    /// Opens a session's file and reads it through.
    init(of id: String, at path: String) throws {
        file = try SQLiteFile(path: path)
        (db, outline) = try file.use { db in
            let outline = try SessionSchema.outline(of: try SessionSchema.session(id, in: db), in: db)
            // Pages that were read through once are not needed again soon.
            try db.execute(sql: "PRAGMA shrink_memory")
            return (db, outline)
        }
    }

    /// Opens a file that was written anew.
    init(at path: String, outlined outline: SessionOutline) throws {
        file = try SQLiteFile(path: path)
        db = try file.use { $0 }
        self.outline = outline
    }

    /// Creates a session's file.
    init(creating session: StoredSession, at path: String) throws {
        file = try SQLiteFile(creating: path) { db in try SessionSchema.create(session, in: db) }
        db = try file.use { $0 }
        outline = SessionOutline(session: session)
        outline.noteSessionChange(session)
    }

    static func session(_ id: String, at path: String) throws -> StoredSession {
        let file = try SQLiteFile(path: path)
        defer { file.close() }
        return try file.use { db in try SessionSchema.session(id, in: db) }
    }

    /// How much the session at a path holds, without reading it through.
    static func counts(of id: String, at path: String) throws -> ContentCounts {
        let file = try SQLiteFile(path: path)
        defer { file.close() }
        return try file.use { db in
            _ = try SessionSchema.session(id, in: db)
            return try SessionSchema.counts(in: db)
        }
    }

    func close() {
        insertQuestion = .failure(StorageError(.closed, "the session's file is closed"))
        insertEvent = .failure(StorageError(.closed, "the session's file is closed"))
        selectQuestion = insertEvent
        beginning = insertEvent
        committing = insertEvent
        file.close()
    }

    func use<T>(_ body: () throws -> T) throws -> T { try file.use { _ in try body() } }
}

// One transaction for all who wait.
extension SessionContent {
    /// Runs writes in one transaction, then tells them how it ended. A write that a rule refuses has changed nothing; if the
    /// transaction fails, none has.
    func commit(_ writes: [SessionWork]) {
        let answers = writes.map { $0.run(self) }
        do {
            if let failure { throw failure }
            if db.isInsideTransaction { try committing.get().execute() }
            for action in commitActions { action() }
            failure = nil
        } catch {
            takeBack()
            failure = StorageError.translated(error)
        }
        noted.removeAll(keepingCapacity: true)
        commitActions.removeAll(keepingCapacity: true)
        let failure = failure
        self.failure = nil
        if let failure = failure as? StorageError, failure.code == .corrupt { damage = failure }
        SessionWork.answer(answers, failure)
    }

    /// Begins the transaction with the first write that stores something.
    func begin() throws {
        if let failure { throw failure }
        if !db.isInsideTransaction { try beginning.get().execute() }
    }

    /// To be called before the row is stored.
    func note(_ step: Noted) { noted.append(step) }

    /// Runs when the write is durable, in the order of the writes, before their callers go on.
    func onCommit(_ action: @escaping @Sendable () -> Void) { commitActions.append(action) }

    /// A write failed for no reason of its own: the transaction can't be committed.
    func fail(_ error: any Error) { if failure == nil { failure = error } }

    private func takeBack() {
        // Nothing can be done about a rollback that fails: SQLite has then rolled back by itself.
        if db.isInsideTransaction { try? db.rollback() }
        for step in noted.reversed() {
            switch step {
            case .session(let before): outline.takeBackSessionChange(before)
            case .sessionAlone(let before): outline.noteSession(before)
            case .question(let id, let request): outline.takeBackQuestion(id: id, request: request)
            case .change(let number, let before): outline.takeBackChange(of: number, before)
            case .answer(let number, let request): outline.takeBackAnswer(to: number, request: request)
            }
        }
    }
}

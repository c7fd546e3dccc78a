internal import GRDB

/// The tables of chat. Times are milliseconds since 1970-01-01T00:00:00Z.
///
/// Columns named `session` hold `session.row`. A question's `place` is that row and the question's number within the
/// session in one integer (``Place``), so that a session's questions lie together in the order asked, with no further index.
enum ChatSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("sessions, questions, answers, events, erasures, clock") { db in
            try db.execute(sql: sessions)
            try db.execute(sql: questions)
            try db.execute(sql: answers)
            try db.execute(sql: events)
            try db.execute(sql: erasures)
            try db.execute(sql: clock)
        }
        return migrator
    }

    /// AUTOINCREMENT: a row is never used again, so nothing in memory can take one session for another.
    private static let sessions = """
        CREATE TABLE session (
            row INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            organisation TEXT NOT NULL,
            state INTEGER NOT NULL,
            title BLOB NOT NULL,            -- sealed
            create_time INTEGER NOT NULL,
            open_time INTEGER,
            end_time INTEGER,
            delete_time INTEGER,
            retention_days INTEGER NOT NULL,
            last_sequence INTEGER NOT NULL, -- of the event that last changed the session itself
            end_reported INTEGER NOT NULL   -- whether retention has acknowledged the end
        ) STRICT;
        CREATE INDEX session_of_organisation ON session (organisation, create_time, id);
        CREATE INDEX session_not_ended ON session (create_time) WHERE state <> 3;
        CREATE INDEX session_not_reported ON session (row) WHERE state = 3 AND end_reported = 0;
        CREATE INDEX session_to_erase ON session (delete_time) WHERE end_reported = 1;
        """

    private static let questions = """
        CREATE TABLE question (
            place INTEGER PRIMARY KEY,
            session INTEGER NOT NULL,
            id TEXT NOT NULL UNIQUE,
            state INTEGER NOT NULL,
            was_published INTEGER NOT NULL,
            text BLOB NOT NULL,             -- sealed
            author_name BLOB,               -- sealed; NULL: anonymous
            author BLOB NOT NULL,           -- digest
            request BLOB NOT NULL,          -- digest
            ask_time INTEGER NOT NULL,
            version INTEGER NOT NULL,
            last_sequence INTEGER NOT NULL,
            UNIQUE (session, author, request)
        ) STRICT;
        CREATE INDEX question_published ON question (session, place) WHERE state = 2;
        CREATE INDEX question_once_published ON question (session, last_sequence) WHERE was_published = 1;
        """

    private static let answers = """
        CREATE TABLE answer (
            row INTEGER PRIMARY KEY,
            session INTEGER NOT NULL,
            question INTEGER NOT NULL,      -- place
            id TEXT NOT NULL,
            text BLOB NOT NULL,             -- sealed
            host_name BLOB,                 -- sealed; NULL: not given
            answer_time INTEGER NOT NULL,
            request BLOB NOT NULL,          -- digest
            UNIQUE (session, request)
        ) STRICT;
        CREATE INDEX answer_of_question ON answer (question);
        """

    /// Ids and versions, never text: a feed that is resumed shows what is there now, not what once was.
    private static let events = """
        CREATE TABLE event (
            session INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            question INTEGER,               -- place; NULL: the session itself changed
            version INTEGER NOT NULL,       -- of the question; 0 for the session
            PRIMARY KEY (session, sequence)
        ) STRICT, WITHOUT ROWID;
        """

    /// What erasures took, so that retention is told the same however often it asks: the certificate must be right
    /// though an answer got lost. The session is a digest: once the files are clean, not even its id shall be in them.
    private static let erasures = """
        CREATE TABLE erasure (
            session BLOB PRIMARY KEY,
            questions INTEGER NOT NULL,
            answers INTEGER NOT NULL,
            events INTEGER NOT NULL
        ) STRICT;
        """

    /// The latest time that chat has seen: what is past its time stays so when the clock is set back before a restart.
    private static let clock = """
        CREATE TABLE clock (
            mark INTEGER NOT NULL
        ) STRICT;
        INSERT INTO clock (mark) VALUES (0);
        """
}

/// Where a question is: its session's row in the upper half, its number in the lower.
enum Place {
    private static let numberBits: Int64 = 32

    static func of(number: Int64, in session: Int64) -> Int64 { session << numberBits | number }
    static func number(of place: Int64) -> Int64 { place & (1 << numberBits - 1) }

    /// The first and the last place of a session, for BETWEEN.
    static func first(in session: Int64) -> Int64 { of(number: 0, in: session) }
    static func last(in session: Int64) -> Int64 { of(number: 1 << numberBits - 1, in: session) }
}

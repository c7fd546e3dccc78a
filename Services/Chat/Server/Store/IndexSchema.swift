internal import ChatCore
internal import GRDB
internal import Privacy

/// The tables of `index.sqlite`: what finds and lists sessions without opening their files.
///
/// A session's file is the truth about it. Its row follows: before the file is changed the row's phase says so, and
/// after it the row is brought up to date.
enum IndexSchema {
    /// Where a session stands between its file and its row.
    enum Phase: Int, Sendable {
        /// The row says what the file says.
        case settled = 0
        /// The file is being changed; it is asked.
        case changing = 1
        /// The file is being made; the session is not there yet.
        case creating = 2
        /// The file is being taken away; the session is not there any more.
        case erasing = 3

        var isThere: Bool { self == .settled || self == .changing }
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("sessions, erasures, clock") { db in
            try db.execute(sql: sessions)
            try db.execute(sql: erasures)
            try db.execute(sql: clock)
        }
        migrator.registerMigration("feed epoch") { db in
            try db.execute(sql: feed)
            try db.execute(sql: "INSERT INTO feed (epoch) VALUES (?)", arguments: [FeedEpoch.random().text])
        }
        return migrator
    }

    private static let sessions = """
        CREATE TABLE session (
            row INTEGER PRIMARY KEY,
            phase INTEGER NOT NULL,
            end_reported INTEGER NOT NULL,  -- whether retention has acknowledged the end
            \(StoredSession.columnDefinitions)
        ) STRICT;
        CREATE INDEX session_of_organisation ON session (organisation, create_time, id);
        CREATE INDEX session_not_ended ON session (create_time) WHERE state <> \(SessionState.ended.rawValue);
        CREATE INDEX session_not_reported ON session (id)
            WHERE state = \(SessionState.ended.rawValue) AND end_reported = 0;
        CREATE INDEX session_to_erase ON session (delete_time) WHERE end_reported = 1;
        CREATE INDEX session_with_deletions ON session (id) WHERE has_old_key = 1 OR deleted_since IS NOT NULL;
        CREATE INDEX session_not_settled ON session (id) WHERE phase <> 0;
        """

    /// What erasures took, so that retention is told the same however often it asks: the certificate must be right
    /// though an answer got lost. The session is a digest: when all is erased, not even its id shall be in the files.
    private static let erasures = """
        CREATE TABLE erasure (
            session BLOB PRIMARY KEY,
            questions INTEGER,              -- NULL: too damaged to tell; answers and events likewise
            answers INTEGER,
            events INTEGER,
            files INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            erase_time INTEGER NOT NULL
        ) STRICT;
        """

    /// Of the positions in all sessions' feeds. It is the store's and not each session's: a session's file that is put back
    /// brings along whatever it holds.
    private static let feed = """
        CREATE TABLE feed (epoch TEXT NOT NULL) STRICT;
        """

    /// The latest time that chat has confirmed, with the start of the machine and its uptime then (`ClockGuard`): what is past
    /// its time stays so when the clock is set back before a restart.
    private static let clock = """
        CREATE TABLE clock (
            mark INTEGER NOT NULL,
            boot TEXT NOT NULL,
            uptime REAL NOT NULL
        ) STRICT;
        INSERT INTO clock (mark, boot, uptime) VALUES (0, '', 0);
        """
}

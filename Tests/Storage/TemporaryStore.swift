import Foundation
import GRDB
import Storage
import Synchronization
import Testing

/// A folder of its own for one test, removed when the test has let go of it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("samtal-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The database's path; its folder does not exist yet, so that the store creates it.
    var database: String { path + "/store/notes.sqlite" }

    /// Every byte of every file beneath the folder. Read from a copy made by another process: closing a descriptor of the
    /// database in this one would drop the locks that SQLite holds.
    func allBytes() throws -> [String: Data] {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("samtal-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/cp")
        process.arguments = ["-r", path, copy]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        var bytes: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: copy) {
            bytes[name] = FileManager.default.contents(atPath: copy + "/" + name)
        }
        return bytes
    }
}

/// The schema of these tests: notes with a unique text.
func notesMigrator(upTo version: Int = 1) -> DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("notes") { db in
        try db.execute(sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")
    }
    if version > 1 {
        migrator.registerMigration("authors") { db in
            try db.execute(sql: "ALTER TABLE note ADD COLUMN author TEXT")
        }
    }
    return migrator
}

/// Opens a store, runs the test, closes the store.
func withStore(
    _ configuration: SQLiteStore.Configuration = .init(),
    _ body: (SQLiteStore, TemporaryFolder) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.database, migrator: notesMigrator(), configuration: configuration)
    do {
        try await body(store, folder)
    } catch {
        await store.close()
        throw error
    }
    await store.close()
}

extension SQLiteStore {
    func addNote(_ text: String) async throws {
        try await write { transaction in try transaction.addNote(text) }
    }

    func notes() async throws -> [String] {
        try await read { db in try String.fetchAll(db, sql: "SELECT text FROM note ORDER BY id") }
    }

    /// Runs `whileHeld` while the writer is inside a body, so that what it starts piles up behind.
    /// `whileHeld` must not await the writes it starts.
    func holdingWriter<T>(_ whileHeld: () async throws -> T) async throws -> T {
        let gate = Gate()
        async let held: Void = write { _ in gate.arriveAndWait() }
        await gate.arrival()
        let result: Result<T, any Error>
        do { result = .success(try await whileHeld()) } catch { result = .failure(error) }
        gate.open()
        try await held
        return try result.get()
    }
}

extension WriteTransaction {
    func addNote(_ text: String) throws {
        try db.cachedStatement(sql: "INSERT INTO note (text) VALUES (?)").execute(arguments: [text])
    }
}

/// Holds the writer's thread (never one of the cooperative pool) until the test opens it.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let arrived: AsyncStream<Void>
    private let arrive: AsyncStream<Void>.Continuation

    init() {
        (arrived, arrive) = AsyncStream.makeStream()
    }

    func arriveAndWait() {
        arrive.finish()
        opened.wait()
    }

    func arrival() async {
        for await _ in arrived {}
    }

    func open() {
        opened.signal()
    }
}

/// A list that several threads append to.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func append(_ element: Element) {
        elements.withLock { $0.append(element) }
    }

    var all: [Element] {
        elements.withLock { $0 }
    }
}

/// Waits until the condition holds, and fails the test if it never does.
func eventually(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "the condition never held")
        try await Task.sleep(for: .milliseconds(2))
    }
}

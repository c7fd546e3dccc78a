import ChatCore
import Foundation
import Logging
import ServiceKit
import Storage
import Synchronization
import Testing

@testable import ChatServer

/// An implementation of the seam, for the suites that any implementation must pass.
struct StoreUnderTest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Opens the store that lives in a folder, or makes one there.
    let open: @Sendable (_ folder: String) async throws -> any SessionStore

    static let files = StoreUnderTest(testDescription: "files") { folder in try await fileStore(in: folder) }
    static let all = [files]

    /// A store in a folder of its own, which is removed when the body is done.
    func run(_ body: (any SessionStore) async throws -> Void) async throws {
        try await inFolder { folder in try await open(folder).use(body) }
    }
}

func fileStore(
    in folder: String, limits: StoreLimits = StoreLimits(), metrics: MetricsRegistry? = nil,
    logger: Logger = Logger(label: "store") { _ in SwiftLogNoOpLogHandler() },
    step: @escaping @Sendable (StoreStep) throws -> Void = { _ in }
) async throws -> FileSessionStore {
    let reports = StoreReports(metrics: metrics, logger: logger)
    return try await afterForks {
        try await FileSessionStore(in: folder, limits: limits, reports: reports, step: step)
    }
}

func inFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = "/tmp/store-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body("\(folder)/chat")
}

/// What a crash would leave of a folder: a copy of it as it is now. Made by another process: closing a descriptor of a
/// database in this one would drop the locks that SQLite holds.
func copy(of folder: String) throws -> String {
    let copy = "\(folder)-\(UInt64.random(in: .min ... .max))"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/cp")
    process.arguments = ["-r", folder, copy]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return copy
}

extension SessionStore {
    /// Runs the body and closes the store, whatever happens.
    func use<Value>(_ body: (any SessionStore) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(self)
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }

    /// A new session of an organisation.
    @discardableResult
    func add(
        _ id: String = Make.id(), of organisation: String = "org-a", at time: Date = Make.time(0)
    ) async throws -> StoredSession {
        try await create(
            SessionRecord(id: id, organisationID: organisation, createTime: time, retentionDays: 7),
            sealedTitle: Make.bytes("title of \(id)"), keyVersion: 1)
    }

    func ask(_ question: NewQuestion, limits: ChatLimits = ChatLimits()) async throws -> Asked {
        try await ask(question, limits: limits) { _ in }
    }

    func moderate(_ id: String, in session: String, by moderation: Moderation) async throws -> QuestionRecord {
        try await moderate(id, in: session, by: moderation, limits: ChatLimits()) { _ in }
    }

    func answer(_ id: String, in session: String, _ text: String, request: String) async throws -> QuestionRecord {
        try await answer(
            id, in: session, with: Make.answer(text), keyVersion: 1, request: Make.digest(request), limits: ChatLimits()
        ) { _ in }
    }

    func end(_ id: String, at time: Date = Make.time(100)) async throws -> StoredSession {
        try await change(id, by: { $0.end(at: time) }, onCommit: { _ in })
    }

    func erase(_ id: String, at time: Date = Make.time(1_000)) async throws -> ErasureEvidence {
        try await erase(id, at: time, forget: {})
    }

    /// All questions of a selection, over as many pages as it takes.
    func all(_ selection: QuestionSelection, of session: String, pages: Int = 3) async throws -> [QuestionRecord] {
        var all: [QuestionRecord] = []
        while true {
            let batch = try await questions(
                selection, of: session, after: all.last?.number ?? 0, bound: BatchBound(questions: pages))
            all += batch.questions
            if batch.isLast { return all }
        }
    }

    /// What a feed shows that begins after a sequence.
    func feed(
        of session: String, for audience: Audience, after sequence: Int64 = 0, pages: Int = 3
    ) async throws -> [QuestionRecord] {
        let last = try await feedPosition(of: session).sequence
        var all: [QuestionRecord] = []
        while true {
            let batch = try await changedQuestions(
                of: session, for: audience, after: all.last?.lastSequence ?? sequence, through: last,
                bound: BatchBound(questions: pages))
            all += batch.questions
            if batch.isLast { return all }
        }
    }
}

extension FileSessionStore {
    func using<Value>(_ body: (FileSessionStore) async throws -> Value) async throws -> Value {
        try await use { _ in try await body(self) }
    }
}

/// Values for stores, which know neither texts nor keys.
enum Make {
    static func id() -> String { "a-\(UInt64.random(in: .min ... .max))" }

    static func time(_ seconds: TimeInterval) -> Date { Date(milliseconds: 1_772_360_000_000 + Int64(seconds * 1000)) }

    static func bytes(_ text: String) -> [UInt8] { Array("sealed \(text)".utf8) }

    /// As long as the digests of ``SessionCipher``.
    static func digest(_ text: String) -> [UInt8] {
        var hash: UInt128 = 1
        for byte in text.utf8 { hash = hash &* 0x1000_0000_01b3 &+ UInt128(byte) &+ hash >> 77 }
        return (0..<SessionCipher.digestLength).map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) }
    }

    static func question(
        _ text: String, in session: String, by author: String = "anna", request: String? = nil, at time: Date = time(1),
        keyVersion: Int = 1
    ) -> NewQuestion {
        NewQuestion(
            sessionID: session, id: QuestionIdentifier.make(at: time), sealedText: bytes(text),
            sealedAuthorName: author == "" ? [] : bytes("name of \(author)"), author: digest("author \(author)"),
            request: digest("ask \(author) \(request ?? text)"), askTime: time, keyVersion: keyVersion)
    }

    static func answer(_ text: String) -> AnswerRecord {
        AnswerRecord(
            id: QuestionIdentifier.make(at: time(2)), sealedText: bytes(text), sealedHostName: [],
            answerTime: time(2))
    }
}

/// The error that a call ends with; nil if it succeeds.
func failure(of call: () async throws -> Void) async -> ChatError? {
    do {
        try await call()
        return nil
    } catch {
        return error as? ChatError
    }
}

/// What a store told, in order.
final class Told<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    var all: [Value] { values.withLock { $0 } }

    func add(_ value: Value) { values.withLock { $0.append(value) } }
}

/// Waits until the condition holds, and fails the test if it never does.
func eventually(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "the condition never held")
        try await Task.sleep(for: .milliseconds(2))
    }
}

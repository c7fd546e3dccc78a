import Contracts
package import Privacy
import RPC
package import RetentionCore
package import ServiceKit

/// Streams a session's log as a ZIP of `session.json`, `questions.csv` and `manifest.json`.
///
/// The log is read from chat once for each file and goes straight through: memory holds one question and one chunk,
/// however long the log, and no file is ever written. A slow receiver slows the reading down.
package struct SessionExporter: Sendable {
    /// The most bytes in one message.
    static let chunkSize = 64 * 1024

    private let store: RetentionStore
    private let chat: ChatNeighbour
    private let clock: any WallClock
    private let pace: ExportPace.Limits
    private let refusals: Refusals

    package init(
        store: RetentionStore, chat: ChatNeighbour, clock: any WallClock, pace: ExportPace.Limits, refusals: Refusals
    ) {
        self.store = store
        self.chat = chat
        self.clock = clock
        self.pace = pace
        self.refusals = refusals
    }

    /// - Parameters:
    ///   - session: one that is visible.
    ///   - options: for the calls to chat.
    ///   - send: takes a chunk of at most `chunkSize` bytes, and waits while the receiver is slow.
    /// - Throws: `RetentionError.sessionNotFound` when chat does not have the session, or when the session is erased
    ///   or its time passes while it is exported; `RPCError` UNAVAILABLE when chat fails, and as `ExportWatch` when the
    ///   receiver is too slow.
    func export(
        _ session: RetainedSession, options: CallOptions, send: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        try await ExportWatch.run(limits: pace, refusals: refusals) { watch in
            try await write(session, options: options) { chunk in try await watch.send(chunk, send) }
        }
    }

    private func write(
        _ session: RetainedSession, options: CallOptions, send: ([UInt8]) async throws -> Void
    ) async throws {
        let time = LedgerTime.rounded(clock.confirmed())
        let zip = try ZIPStream(time: time)
        var files: [ExportManifest.File] = []
        let formats: [any SessionFormat] = [SessionJSON(), QuestionsCSV()]
        for format in formats {
            try zip.beginFile(format.fileName)
            let file = try await write(format, of: session, options: options, to: zip, send: send)
            try zip.endFile()
            files.append(file)
        }
        try zip.beginFile("manifest.json")
        try zip.write(
            ExportManifest(
                sessionID: session.id, organisationID: session.organisationID, exportTime: time, files: files
            ).encoded)
        try zip.endFile()
        try zip.finish()
        try await drain(zip, of: session, downTo: 1, send: send)
    }

    private func write(
        _ format: any SessionFormat, of session: RetainedSession, options: CallOptions, to zip: ZIPStream,
        send: ([UInt8]) async throws -> Void
    ) async throws -> ExportManifest.File {
        var format = format
        var file = ExportManifest.File(name: format.fileName, bytes: 0, sha256: "", questions: 0, answers: 0)
        var digest = FileDigest()
        var log = SessionLogReader(chat.log(ofSession: session.id, options: options))
        try Self.put(format.beginning(try await log.session()), to: zip, &digest)
        while let question = try await log.nextQuestion() {
            try Self.put(format.part(question), to: zip, &digest)
            file.questions += 1
            file.answers += Int64(question.answers.count)
            try await drain(zip, of: session, downTo: Self.chunkSize, send: send)
        }
        try Self.put(format.end(), to: zip, &digest)
        file.bytes = digest.bytes
        file.sha256 = digest.sha256()
        return file
    }

    private static func put(_ bytes: [UInt8], to zip: ZIPStream, _ digest: inout FileDigest) throws {
        digest.update(bytes)
        try zip.write(bytes)
    }

    /// Sends chunks while at least `count` bytes wait, each only as long as the session may be read.
    private func drain(
        _ zip: ZIPStream, of session: RetainedSession, downTo count: Int, send: ([UInt8]) async throws -> Void
    ) async throws {
        while zip.available >= count {
            guard let current = try await store.session(session.id), current.isVisible(at: clock.now()) else {
                throw RetentionError.sessionNotFound
            }
            try await send(zip.take(Self.chunkSize))
        }
    }
}

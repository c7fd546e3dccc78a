import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

/// Memory of the processes, read as root can read it.
@Suite("Erased means erased, in memory", .serialized)
struct MemoryTests {
    /// Neither the system nor Swift says what a process has written where it is not told to wipe it; ten seconds are for
    /// what waits for a timer.
    private static let patience: Duration = .seconds(10)

    @Test("ten seconds after the certificate no process has the keys, a text or a name in its memory")
    func gone() async throws {
        guard geteuid() == 0 else { return print("SKIP memory of the processes: root is needed to read it") }
        try await RunningSamtal.with { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let marker = "PERSONUPPGIFT-\(UUID().uuidString)"
            let session = try await organisation.openSession(in: samtal, title: "\(marker) titel")
            let participant = try await samtal.join(session, name: "\(marker) namn")
            for number in 0..<40 {
                _ = try await samtal.chat.askQuestion(
                    .init(sessionID: session, text: "\(marker) \(number)", requestID: "request-\(number)"),
                    options: participant)
            }
            let listed = try await samtal.chat.listQuestions(
                .init(sessionID: session), options: organisation.administrator)
            #expect(listed.questions.count == 40)
            let keys = try await samtal.keys(of: [session])
            _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
            // The log is read once whole, as an export does.
            for try await _ in samtal.retention.exportSession(
                .init(sessionID: session), options: organisation.administrator)
            {}
            // The control: chat has the content's key while the session is there.
            let before = try ProcessMemory.places(of: [Data(keys[0])], in: samtal.pid(.chat))
            #expect(before[0] > 0)

            _ = try await samtal.retention.eraseSession(
                .init(sessionID: session, confirmSessionID: session), options: organisation.administrator)
            try await Task.sleep(for: Self.patience)
            for service in [RunningSamtal.Service.retention, .chat, .gateway, .identity] {
                let found = try ProcessMemory.places(
                    of: keys.map { Data($0) } + [Data(marker.utf8)], in: samtal.pid(service))
                #expect(found == [0, 0, 0], "\(service.rawValue): content key, token key, texts and names")
            }
        }
    }
}

/// What a process has in the memory that it can write.
enum ProcessMemory {
    /// - Returns: How often each pattern is there.
    static func places(of patterns: [Data], in pid: Int32) throws -> [Int] {
        let maps = FileHandle(forReadingAtPath: "/proc/\(pid)/maps")
        let table = String(decoding: try maps?.readToEnd() ?? Data(), as: UTF8.self)
        let memory = open("/proc/\(pid)/mem", O_RDONLY | O_CLOEXEC)
        guard memory >= 0 else { throw ChildProcessError.refused("reading the memory of \(pid)") }
        defer { close(memory) }
        var counts = patterns.map { _ in 0 }
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            let range = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard fields.count > 1, fields[1].hasPrefix("rw"), range.count == 2 else { continue }
            var part = Data(count: Int(range[1] - range[0]))
            let read = part.withUnsafeMutableBytes { pread(memory, $0.baseAddress, $0.count, off_t(range[0])) }
            guard read > 0 else { continue }
            let bytes = try RawDisk(part.prefix(read))
            for (index, pattern) in patterns.enumerated() { counts[index] += bytes.places(of: pattern).count }
        }
        return counts
    }
}

extension RunningSamtal {
    func pid(_ service: Service) throws -> Int32 {
        guard let child = child(service) else { throw ChildProcessError.refused("\(service.rawValue) does not run") }
        return child.identifier
    }
}

import ChatCore
import Foundation
import Logging
import ServiceKit
import Storage
import Synchronization
import Testing

@testable import ChatServer

@Suite("Sessions in files")
struct FileStoreTests {
    private func file(_ id: String, in folder: String) -> String { "\(folder)/sessions/\(id).sqlite" }

    private func names(in folder: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/sessions"))
    }

    /// A store with sessions of so many questions each.
    private func make(_ folder: String, _ sessions: [String], questions: Int = 3) async throws {
        try await fileStore(in: folder).using { (store) async throws in
            for id in sessions {
                try await store.add(id)
                for number in 0..<questions { _ = try await store.ask(Make.question("\(number)", in: id)) }
            }
        }
    }

    @Test("a session's file that is missing is reported, is no erased session, and keeps no other from serving")
    func missing() async throws {
        try await inFolder { folder in
            let (lost, kept) = (Make.id(), Make.id())
            try await make(folder, [lost, kept])
            try FileManager.default.removeItem(atPath: file(lost, in: folder))
            let metrics = MetricsRegistry()
            let logs = LogCollector()
            try await fileStore(in: folder, metrics: metrics, logger: logs.logger).using { (store) async throws in
                #expect(metrics.text().contains("sessions_missing 1\n"))
                let reading = await failure { _ = try await store.all(.seenBy(.moderator), of: lost) }
                #expect(reading == .contentLost)
                let erasing = await failure { _ = try await store.erase(lost) }
                #expect(erasing == .contentMissing && erasing?.code == .wrongState)
                #expect(try await store.all(.seenBy(.moderator), of: kept).count == 3)
                // Still there to be looked into.
                #expect(await failure { _ = try await store.erase(lost) } == .contentMissing)
                #expect(try await store.session(lost) != nil)
            }
            #expect(logs.text.contains("a session's file is missing"))
            #expect(!logs.text.contains(lost))
        }
    }

    @Test(
        "a damaged file is one session: it is set aside, reported, and can be erased, without counts",
        arguments: [0, 5000])
    func damaged(at offset: UInt64) async throws {
        try await inFolder { folder in
            let (bad, kept) = (Make.id(), Make.id())
            try await make(folder, [bad, kept], questions: 200)
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(bad, in: folder)))
            let size = try handle.seekToEnd()
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size - offset)))
            try handle.close()
            let metrics = MetricsRegistry()
            try await fileStore(in: folder, metrics: metrics).using { (store) async throws in
                for _ in 0..<2 {
                    #expect(await failure { _ = try await store.ask(Make.question("?", in: bad)) } == .damaged)
                }
                #expect(metrics.text().contains("sessions_damaged 1\n"))
                _ = try await store.ask(Make.question("?", in: kept))
                let evidence = try await store.erase(bad)
                #expect(evidence.content == .removed && evidence.counts == nil && evidence.bytes == Int64(size))
                #expect(metrics.text().contains("sessions_damaged 0\n"))
                #expect(try names(in: folder).allSatisfy { !$0.contains(bad) })
                #expect(try await store.erase(bad).counts == nil)
            }
        }
    }

    @Test("another session's file in its place is damage, not its content")
    func exchanged() async throws {
        try await inFolder { folder in
            let (one, other) = (Make.id(), Make.id())
            try await make(folder, [one, other])
            try FileManager.default.removeItem(atPath: file(one, in: folder))
            try FileManager.default.copyItem(atPath: file(other, in: folder), toPath: file(one, in: folder))
            try await fileStore(in: folder).using { (store) async throws in
                #expect(await failure { _ = try await store.feedPosition(of: one) } == .damaged)
                #expect(try await store.feedPosition(of: other).sequence == 4)
            }
        }
    }

    @Test(
        "an erased session's file that is put back is taken away at the next start; one the index lost is listed again")
    func orphans() async throws {
        try await inFolder { folder in
            let (erased, lost) = (Make.id(), Make.id())
            try await make(folder, [erased])
            let older = try copy(of: folder)
            try await fileStore(in: folder).using { (store) async throws in
                _ = try await store.erase(erased)
                try await store.add(lost)
                _ = try await store.ask(Make.question("kvar", in: lost))
            }
            try FileManager.default.copyItem(atPath: file(erased, in: older), toPath: file(erased, in: folder))
            try await fileStore(in: folder).using { (store) async throws in
                #expect(try names(in: folder).allSatisfy { !$0.contains(erased) })
                #expect(try await store.session(erased) == nil)
            }
            // A newer session's file beside an older index.
            try FileManager.default.copyItem(atPath: file(lost, in: folder), toPath: file(lost, in: older))
            try await fileStore(in: older).using { (store) async throws in
                #expect(try await store.session(lost)?.id == lost)
                #expect(try await store.sessions(after: nil, limit: 9).count == 2)
                #expect(try await store.all(.seenBy(.moderator), of: lost).count == 1)
            }
            try FileManager.default.removeItem(atPath: older)
        }
    }

    @Test("so many files are open and no more, whoever uses how many, and none loses what it stored")
    func bounded() async throws {
        try await inFolder { folder in
            var limits = StoreLimits()
            limits.openFiles = 8
            limits.threads = 4
            try await fileStore(in: folder, limits: limits).using { (store) async throws in
                let small = try await store.add(of: "org-b").id
                _ = try await store.ask(Make.question("kvar", in: small))
                var large: [String] = []
                for _ in 0..<40 { large.append(try await store.add().id) }
                // Whoever has one keeps it, however many another opens.
                #expect(store.isOpen(small))
                for round in 0..<5 {
                    try await withThrowingTaskGroup(of: Void.self) { tasks in
                        for id in large {
                            tasks.addTask { _ = try await store.ask(Make.question("\(round)", in: id)) }
                        }
                        try await tasks.waitForAll()
                    }
                    #expect(store.openFiles <= limits.openFiles + limits.threads)
                }
                #expect(store.isOpen(small))
                for id in large {
                    #expect(try await store.all(.seenBy(.moderator), of: id).map(\.number) == [1, 2, 3, 4, 5])
                }
                #expect(store.openFiles <= limits.openFiles + limits.threads)
            }
        }
    }

    @Test("what waits is bounded for a session and for an organisation, and a refusal names the bound")
    func waiting() async throws {
        try await inFolder { folder in
            var limits = StoreLimits()
            limits.waiting = 16
            limits.waitingOfSession = 12
            let metrics = MetricsRegistry()
            try await fileStore(in: folder, limits: limits, metrics: metrics).using { (store) async throws in
                let busy = try await store.add().id
                let other = try await store.add().id
                let theirs = try await store.add(of: "org-b").id
                let gate = DispatchSemaphore(value: 0)
                let file = store.files.findOrAdd(busy, of: "org-a")
                async let held: Void = file.alone { _ in gate.wait() }
                async let asked: [Asked] = withThrowingTaskGroup(of: Asked.self) { tasks in
                    for number in 0..<12 {
                        tasks.addTask { try await store.ask(Make.question("\(number)", in: busy)) }
                    }
                    return try await tasks.reduce(into: []) { $0.append($1) }
                }
                try await eventually { file.waiting == 12 }
                let more = await failure { _ = try await store.ask(Make.question("mer", in: busy)) }
                #expect(more?.reason == "STORE_OVERLOADED" && more?.bound == "waiting-of-session")
                // Three quarters are taken, all of them by this organisation.
                let elsewhere = await failure { _ = try await store.ask(Make.question("?", in: other)) }
                #expect(elsewhere?.bound == "waiting-of-organisation")
                _ = try await store.ask(Make.question("?", in: theirs))
                gate.signal()
                try await held
                #expect(try await asked.count == 12)
                _ = try await store.ask(Make.question("?", in: other))
                #expect(metrics.text().contains("bound_refusals_total{bound=\"waiting-of-session\"} 1\n"))
            }
        }
    }
}

extension FileSessionStore {
    func isOpen(_ id: String) -> Bool { files.find(id)?.isOpen ?? false }
}

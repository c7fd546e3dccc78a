import ChatCore
import Foundation
import Privacy
import Storage
import Synchronization
import TestProcesses
import Testing

@testable import ChatServer

@Suite("Erasing a session's file")
struct StoreErasureTests {
    private func fill(_ store: FileSessionStore, _ id: String, _ count: Int) async throws {
        var limits = ChatLimits()
        limits.questionsPerParticipant = .max
        try await withThrowingTaskGroup(of: Void.self) { [limits] tasks in
            for number in 0..<count {
                tasks.addTask { _ = try await store.ask(Make.question("\(number)", in: id), limits: limits) }
                if number % 500 == 499 { try await tasks.waitForAll() }
            }
            try await tasks.waitForAll()
        }
    }

    /// The quickest of several, so that a busy machine does not decide.
    private func quickestErasure(in store: FileSessionStore) async throws -> Duration {
        var quickest = Duration.seconds(60)
        for _ in 0..<5 {
            let id = try await store.add().id
            try await fill(store, id, 50)
            let began = ContinuousClock.now
            #expect(try await store.erase(id).counts?.questions == 50)
            quickest = min(quickest, ContinuousClock.now - began)
        }
        return quickest
    }

    @Test("costs the same beside ten times as much")
    func cost() async throws {
        try await inFolder { folder in
            try await fileStore(in: folder).using { (store) async throws in
                for _ in 0..<4 { try await fill(store, try await store.add().id, 500) }
                let beside = try await quickestErasure(in: store)
                for _ in 0..<36 { try await fill(store, try await store.add().id, 500) }
                let besideMore = try await quickestErasure(in: store)
                #expect(besideMore < beside * 3, "\(beside), beside ten times as much \(besideMore)")
            }
        }
    }

    @Test("and other sessions' bursts hold up nobody else's question, however long they take")
    func others() async throws {
        try await inFolder { folder in
            var limits = StoreLimits()
            limits.threads = 2
            try await fileStore(in: folder, limits: limits).using { (store) async throws in
                let (erased, other) = (try await store.add().id, try await store.add(of: "org-b").id)
                try await fill(store, erased, 100)
                // The erasure's turn takes as long as the test wants.
                let gate = DispatchSemaphore(value: 0)
                async let held: Void = store.files.findOrAdd(erased, of: "org-a").alone { _ in gate.wait() }
                async let erasure = store.erase(erased)
                try await eventually { store.isBarred(erased) }
                for number in 0..<50 { _ = try await store.ask(Make.question("\(number)", in: other)) }
                #expect(await failure { _ = try await store.ask(Make.question("?", in: erased)) } == .sessionNotFound)
                gate.signal()
                try await held
                #expect(try await erasure.counts?.questions == 100)
            }
        }
    }

    @Test(
        "works at a full disk: nothing is served, the file is gone, and the record follows when there is room",
        .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)), arguments: [false, true])
    func fullDisk(isOpenedAgain: Bool) async throws {
        let path = "/tmp/store-disk-\(UInt64.random(in: .min ... .max))"
        let disk = try SmallDisk(on: path, kilobytes: 2_000)
        defer { disk.unmount() }
        let (id, kept) = (Make.id(), Make.id())
        let folder = "\(path)/chat"
        try await fileStore(in: folder).using { (store) async throws in
            for session in [id, kept] {
                try await store.add(session)
                try await fill(store, session, 20)
            }
            // So much is left of the index's log that it would take a record or two.
            try disk.fill()
            while (try? await store.storeClockMark(
                ClockMark(time: Make.time(Double.random(in: 1...1_000_000)), boot: "b", uptime: 1))) != nil
            {}
            let forgotten = Mutex(false)
            let evidence = try await store.erase(id, at: Make.time(5)) { forgotten.withLock { $0 = true } }
            #expect(forgotten.withLock { $0 } && evidence.content == .removed)
            #expect(evidence.counts == ContentCounts(questions: 20, answers: 0, events: 21))
            #expect(evidence.bytes > 0)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(folder)/sessions").allSatisfy {
                    !$0.hasPrefix("\(id).sqlite")
                })
            #expect(await failure { _ = try await store.feedPosition(of: id) } == .sessionNotFound)
            #expect(try await store.session(id) == nil)
            if isOpenedAgain { return }
            // What the unlinked file gave back, something else takes.
            try disk.fill()
            disk.makeRoom()
            try await store.settle(at: Make.time(6))
            var again = evidence
            again.content = .erasedEarlier
            #expect(try await store.erase(id) == again)
            #expect(try await store.sessions(after: nil, limit: 9).map(\.id) == [kept])
        }
        guard isOpenedAgain else { return }
        try disk.fill()
        disk.makeRoom()
        try await fileStore(in: folder).using { (store) async throws in
            #expect(try await store.session(id) == nil)
            try await store.settle(at: Make.time(6))
            #expect(try await store.erase(id).content == .erasedEarlier)
            #expect(try await store.sessions(after: nil, limit: 9).map(\.id) == [kept])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(folder)/sessions").allSatisfy {
                    !$0.hasPrefix(id)
                })
        }
    }

    @Test("ends a change of keys that is under way, and leaves nothing of it")
    func whileResealing() async throws {
        try await inFolder { folder in
            try await fileStore(in: folder).using { (store) async throws in
                for round in 0..<6 {
                    let id = try await store.add().id
                    try await fill(store, id, 800)
                    let begun = Told<String>()
                    async let resealed = failure {
                        _ = try await store.reseal(
                            id, to: 2,
                            by: { sealed, _ in
                                begun.add("")
                                return sealed
                            }, onCommit: { _ in })
                    }
                    // Anywhere between its first row and its end.
                    try await eventually { begun.all.count > round * 300 }
                    let evidence = try await store.erase(id)
                    #expect(evidence.content == .removed && evidence.counts?.questions == 800)
                    #expect([nil, .sessionNotFound].contains(await resealed))
                    let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/sessions")
                    #expect(files.allSatisfy { !$0.hasPrefix(id) })
                    #expect(try await store.erase(id).content == .erasedEarlier)
                }
            }
        }
    }

    private struct Crash: Error {}

    @Test(
        "and all else that takes several steps is whole or not there, wherever a crash cuts it short",
        arguments: StoreStep.allCases.filter { ![.feedEpochDrawn, .resealStored, .resealExchanged].contains($0) })
    func crashed(at step: StoreStep) async throws {
        try await inFolder { folder in
            let (erased, changed, created) = (Make.id(), Make.id(), Make.id())
            let isArmed = Mutex(false)
            let left = Mutex("")
            let store = try await fileStore(in: folder) { reached in
                guard reached == step, isArmed.withLock({ $0 }) else { return }
                let copied = try copy(of: folder)
                left.withLock { $0 = copied }
                throw Crash()
            }
            try await store.using { (store) async throws in
                for id in [erased, changed] {
                    try await store.add(id)
                    try await fill(store, id, 5)
                }
                isArmed.withLock { $0 = true }
                await #expect(throws: Crash.self) {
                    try await store.add(created)
                    _ = try await store.end(changed)
                    _ = try await store.erase(erased)
                }
            }
            let afterCrash = left.withLock { $0 }
            try #require(!afterCrash.isEmpty)
            defer { try? FileManager.default.removeItem(atPath: afterCrash) }
            for round in 0..<2 {
                try await fileStore(in: afterCrash).using { (store) async throws in
                    if round == 1 { try await store.settle(at: Make.time(9)) }
                    let isCreated = step != .creationListed && step != .creationStored
                    #expect(try await store.session(created) == nil || isCreated)
                    let isChanged = ![.creationListed, .creationStored, .changeListed].contains(step)
                    #expect(try await store.session(changed)?.record.state == (isChanged ? .ended : .draft))
                    #expect(
                        try await store.feedPosition(of: changed).session.record.state == (isChanged ? .ended : .draft))
                    let isErased = [.erasureListed, .erasureUnlinked].contains(step)
                    #expect((try await store.session(erased) == nil) == isErased)
                    if !isErased { #expect(try await store.all(.seenBy(.moderator), of: erased).count == 5) }
                    guard round == 1 else { return }
                    let listed = try await store.sessions(after: nil, limit: 9).map(\.id)
                    #expect(
                        Set(listed)
                            == Set(
                                [erased, changed, created].filter { id in
                                    id == changed || (id == created && isCreated) || (id == erased && !isErased)
                                }))
                    #expect(try await store.notReported(after: nil, limit: 9).map(\.id) == (isChanged ? [changed] : []))
                    let files = try FileManager.default.contentsOfDirectory(atPath: "\(afterCrash)/sessions")
                    #expect(Set(files.filter { $0.hasSuffix(".sqlite") }) == Set(listed.map { "\($0).sqlite" }))
                    let evidence = try await store.erase(erased)
                    #expect(evidence.content == (isErased ? .erasedEarlier : .removed))
                    #expect(evidence.counts == ContentCounts(questions: 5, answers: 0, events: 6))
                }
            }
        }
    }
}

import ChatCore
import Foundation
import Synchronization
import Testing

@testable import ChatServer

@Suite("A change of keys that is cut short")
struct KeyChangeCrashTests {
    private struct Crash: Error {}

    private static let seal: @Sendable ([UInt8], SessionCipher.Field) throws -> [UInt8] = { sealed, _ in
        sealed + Array(" anew".utf8)
    }

    @Test(
        "ends like one that was not, wherever it was cut short",
        arguments: [StoreStep.changeListed, .resealStored, .resealExchanged, .changeStored])
    func crashed(at step: StoreStep) async throws {
        try await inFolder { folder in
            let id = Make.id()
            let isArmed = Mutex(false)
            let left = Mutex("")
            let store = try await fileStore(in: folder) { reached in
                guard reached == step, isArmed.withLock({ $0 }) else { return }
                let copied = try copy(of: folder)
                left.withLock { $0 = copied }
                throw Crash()
            }
            try await store.using { (store) async throws in
                try await store.add(id)
                let questions = (0..<5).map { Make.question("\($0)", in: id) }
                for question in questions { _ = try await store.ask(question) }
                try await store.delete(questions[0].id, in: id, by: nil, at: Make.time(9)) { _ in }
                isArmed.withLock { $0 = true }
                await #expect(throws: Crash.self) { _ = try await store.reseal(id, to: 2, by: Self.seal) { _ in } }
            }
            let afterCrash = left.withLock { $0 }
            try #require(!afterCrash.isEmpty)
            defer { try? FileManager.default.removeItem(atPath: afterCrash) }
            let isExchanged = step == .resealExchanged || step == .changeStored
            for round in 0..<3 {
                try await fileStore(in: afterCrash).using { (store) async throws in
                    // What the file says decides which key is fetched for it.
                    let version = round == 0 && !isExchanged ? 1 : 2
                    let session = try #require(try await store.session(id))
                    #expect(session.keyVersion == version && session.hasOldKey == (version == 2))
                    let all = try await store.all(.seenBy(.moderator), of: id)
                    #expect(all.map(\.number) == [2, 3, 4, 5])
                    let end = Array((version == 2 ? " anew" : "").utf8)
                    for text in all.map(\.sealedText) + [session.sealedTitle] {
                        #expect(text.suffix(5) == end || end == [])
                    }
                    let due = try await store.keysToChange(deletedBy: Make.time(9), after: nil, limit: 9)
                    #expect(due.map(\.id) == [id])
                    if round == 0 {
                        if version == 1 { _ = try await store.reseal(id, to: 2, by: Self.seal) { _ in } }
                    } else {
                        try await store.settle(at: Make.time(20))
                    }
                    _ = try await store.ask(Make.question("round \(round)", in: id, by: "bo", keyVersion: 2))
                    try await store.delete(
                        try #require(try await store.all(.seenBy(.moderator), of: id).last).id, in: id, by: nil,
                        at: Make.time(30)
                    ) { _ in }
                    let files = try FileManager.default.contentsOfDirectory(atPath: "\(afterCrash)/sessions")
                    #expect(files.filter { !$0.hasSuffix("-wal") } == ["\(id).sqlite"])
                }
            }
        }
    }
}

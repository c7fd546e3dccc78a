import ChatServer
import Contracts
import Foundation
import Privacy
import Synchronization
import Testing

@Suite("Beside sessions that can't be read")
struct UnreadableSessionTests {
    /// What has become of a session's file.
    enum Fault: CaseIterable {
        case damaged, missing
    }

    /// Chat's stored sessions: unreadable ones, and healthy ones of another organisation; more than are handled at once.
    private func withSessions(
        _ fault: Fault, _ body: (World, _ healthy: [String], _ unreadable: [String]) async throws -> Void
    ) async throws {
        try await World.run { world in
            var healthy: [String] = []
            var unreadable: [String] = []
            try await world.withChat { chat in
                for number in 0..<112 {
                    let id = try await chat.session()
                    if number % 28 == 0 { healthy.append(id) } else { unreadable.append(id) }
                }
            }
            for id in unreadable {
                let file = URL(fileURLWithPath: world.sessionFile(id))
                try FileManager.default.removeItem(at: file)
                if fault == .damaged { try Data(repeating: 7, count: 8_192).write(to: file) }
            }
            try await body(world, healthy, unreadable)
        }
    }

    @Test("the others are ended when their time has come, and retention is told", arguments: Fault.allCases)
    func ended(fault: Fault) async throws {
        try await withSessions(fault) { world, healthy, unreadable in
            world.clock.advance(by: 31 * 86_400)
            try await world.withChat { _ in
                try await eventually {
                    let ends = world.retention.state.withLock { $0.ends }
                    return healthy.allSatisfy { ends[$0] != nil }
                }
            }
            #expect(unreadable.count == 108)
        }
    }
}

import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import TestProcesses
import Testing

@Suite("Erasing on a full disk", .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)))
struct FullDiskErasureTests {
    @Test(
        "keys whose time has come are destroyed though nothing can be stored; the certificate says what was seen then")
    func overdue() async throws {
        try await withFolder { folder in
            let disk = try SmallDisk(on: folder.path + "/retention", kilobytes: 2_200)
            defer { disk.unmount() }
            let chat = ChatPeer()
            try await withChat(chat, in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(cap: 1)
                    for number in 1...3 {
                        try await retention.open("session-\(number)")
                        chat.add("session-\(number)", state: .ended, questions: Questions.some)
                        try await retention.end("session-\(number)")
                    }
                    #expect(try folder.usedSlots().count == 6)
                    try disk.fill()
                    // What little room the log has left is used up too.
                    while try await status({ try await retention.open("more-\(UUID().uuidString.lowercased())") })
                        == nil
                    {}
                    retention.clock.advance(by: 86_401)
                    try await eventually("the keys of those that have ended are gone") {
                        try await retention.assembly.keys.keys(
                            ofSession: "session-1", ContentKeyVersions()) == nil
                    }
                    #expect(try await !retention.isCertified("session-1"))
                    disk.makeRoom()
                    for number in 1...3 {
                        try await eventually("it is certified") { try await retention.isCertified("session-\(number)") }
                        let certificate = try await retention.certificate(of: "session-\(number)")
                        let keys = try ErasureStatement(reading: certificate.statement).evidence.keys
                        #expect(keys.slots == 2 && keys.readBack != nil)
                    }
                }
            }
        }
    }
}

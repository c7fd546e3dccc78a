import Contracts
import Foundation
import Privacy
import RPC
import RetentionCore
import RetentionServer
import Testing

@Suite("Sessions and their keys over the socket")
struct SessionServiceTests {
    @Test("a session's key is made once, and given to chat alone")
    func keys() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 7)
                let key = try await retention.open("session-1")
                #expect(key.key.count == 32)
                #expect(key.retentionDays == 7)
                #expect(key.organisationID == "org-north")
                #expect(try await retention.open("session-1") == key)
                #expect(try await retention.key(of: "session-1") == key)
                #expect(try await retention.open("session-2").key != key.key)
                var request = RetentionV1.GetSessionKeyRequest()
                request.sessionID = "session-1"
                for options in [
                    RunningRetention.asOperator, RunningRetention.asAdministrator(), RunningRetention.asAnyone,
                ] {
                    let refusal = try await status {
                        try await retention.client.getSessionKey(request, options: options)
                    }
                    #expect(refusal?.code == .permissionDenied)
                }
            }
        }
    }

    @Test("the same id for two organisations opens for the first alone")
    func twoOrganisations() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(organisation: "org-north")
                try await retention.record(organisation: "org-south")
                try await retention.open("session-1", organisation: "org-north")
                let refusal = try await status { try await retention.open("session-1", organisation: "org-south") }
                #expect(refusal?.reason == "SESSION_NOT_FOUND")
            }
        }
    }

    @Test("many openings of one session at once agree on one key")
    func concurrentOpenings() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                    for _ in 0..<20 { group.addTask { try await retention.open("session-1").key } }
                    return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
                }
                #expect(keys.count == 1)
            }
        }
    }

    @Test("an end fixes the time of erasure once")
    func ends() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 7)
                try await retention.open("session-1")
                let deadline = try #require(try await retention.end("session-1"))
                #expect(deadline == RunningRetention.start.addingTimeInterval(7 * 86_400))
                retention.clock.advance(by: 3600)
                #expect(try await retention.end("session-1") == deadline)
                try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.end("session-9") }
            }
        }
    }

    @Test("a time that is none is refused, and an end in the future counts as now")
    func endTimes() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 1)
                try await retention.open("session-1")
                var request = RetentionV1.EndSessionRequest()
                request.sessionID = "session-1"
                let times: [GoogleProtobuf.Timestamp?] = [
                    nil, .init(seconds: 0, nanos: -1), .init(seconds: 0, nanos: 1_000_000_000),
                    .init(seconds: .max, nanos: 0), .init(seconds: .min, nanos: 0),
                ]
                for time in times {
                    request.endTime = time
                    let refusal = try await status {
                        try await retention.client.endSession(request, options: RunningRetention.asChat)
                    }
                    #expect(refusal?.fields.map(\.field) == ["end_time"])
                }
                let deadline = try await retention.end("session-1", at: RunningRetention.start.addingTimeInterval(1e9))
                #expect(deadline == RunningRetention.start.addingTimeInterval(86_400))
            }
        }
    }

    @Test("a lower policy, or a lower cap once confirmed, moves times of erasure earlier; a higher one moves none")
    func reclamping() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record(cap: 30)
                try await retention.open("ended")
                try await retention.open("open")
                let start = RunningRetention.start
                try await retention.end("ended")
                try await retention.setPolicy(10)
                #expect(try await retention.end("ended") == start.addingTimeInterval(10 * 86_400))
                #expect(try await retention.key(of: "open").retentionDays == 10)
                try await retention.setPolicy(20)
                #expect(try await retention.end("ended") == start.addingTimeInterval(10 * 86_400))
                #expect(try await retention.key(of: "open").retentionDays == 10)
                #expect(try await retention.open("new").retentionDays == 20)
                try await retention.record(cap: 5)
                #expect(try await retention.end("ended") == start.addingTimeInterval(10 * 86_400))
                #expect(try await retention.open("newer").retentionDays == 5)
                try await retention.confirmAgreement(version: 2)
                #expect(try await retention.end("ended") == start.addingTimeInterval(5 * 86_400))
                #expect(try await retention.end("new") == start.addingTimeInterval(5 * 86_400))
            }
        }
    }

    @Test("from the time of erasure on no key is given, erased already or not")
    func keyAfterDeadline() async throws {
        try await withFolder { folder in
            try await withRetention(in: folder, schedules: false) { retention in
                try await retention.record(cap: 1)
                try await retention.open("session-1")
                try await retention.end("session-1")
                retention.clock.advance(by: 86_400 - 1)
                #expect(try await retention.key(of: "session-1").key.count == 32)
                retention.clock.advance(by: 1)
                try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.key(of: "session-1") }
                try await expectRefusal(reason: "SESSION_NOT_FOUND") { try await retention.open("session-1") }
            }
        }
    }

    @Test("setting the clock back makes nothing readable again, also across a restart")
    func clockBackwards() async throws {
        try await withFolder { folder in
            let clock = ManualWallClock(RunningRetention.start)
            try await withRetention(in: folder, clock: clock, schedules: false) { retention in
                try await retention.record(cap: 1)
                try await retention.open("session-1")
                try await retention.end("session-1")
                clock.advance(by: 86_400)
                try await expectRefusal(.notFound) { try await retention.key(of: "session-1") }
                clock.set(RunningRetention.start)
                try await expectRefusal(.notFound) { try await retention.key(of: "session-1") }
            }
            try await withRetention(in: folder, clock: clock, schedules: false) { retention in
                let refusal = try await status { try await retention.key(of: "session-1") }
                #expect(refusal?.code == .notFound)
                #expect(retention.log.text.contains("clock is behind"))
            }
        }
    }

    @Test(
        "an id that is none is refused by every method",
        arguments: ["", "a b", "../../etc", "Å", String(repeating: "a", count: 65)])
    func hostileIdentifiers(id: String) async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                try await retention.record()
                let operatorRole = RunningRetention.asOperator
                let refusals = [
                    try await status { try await retention.open(id) },
                    try await status { try await retention.key(of: id) },
                    try await status { try await retention.end(id) },
                    try await status { try await retention.erase(id) },
                    try await status { try await retention.export(id) },
                    try await status { try await retention.certificate(of: id, options: operatorRole) },
                ]
                for refusal in refusals { #expect(refusal?.fields.map(\.field) == ["session_id"]) }
            }
        }
    }
}

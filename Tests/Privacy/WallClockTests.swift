import Foundation
import Privacy
import Testing

@Suite("Clocks")
struct WallClockTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    @Test("a manual clock stands still until it is told otherwise")
    func manual() {
        let clock = ManualWallClock(start)
        #expect(clock.now() == start && clock.now() == start)
        clock.advance(by: 60)
        #expect(clock.now() == start.addingTimeInterval(60))
        clock.set(start)
        #expect(clock.now() == start)
    }

    @Test("the system's clock moves with the system's time")
    func system() {
        let before = Date()
        let now = SystemWallClock().now()
        #expect(before <= now && now <= Date())
    }

    @Test("the machine is known by its start, and its uptime goes on at the pace of time")
    func reading() async throws {
        let clock = SystemWallClock()
        let first = clock.reading()
        #expect(first.boot.count == 36)
        try await Task.sleep(for: .milliseconds(20))
        let second = clock.reading()
        #expect(second.boot == first.boot && second.uptime >= first.uptime + 0.02)
        let file = try #require(FileHandle(forReadingAtPath: "/proc/uptime"))
        let text = String(decoding: try #require(try file.read(upToCount: 64)), as: UTF8.self)
        let uptime = try #require(text.split(separator: " ").first.flatMap { Double($0) })
        #expect(abs(uptime - second.uptime) < 60)
    }
}

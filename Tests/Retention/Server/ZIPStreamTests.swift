import Foundation
import Testing

@testable import RetentionServer

@Suite("A ZIP file as a stream")
struct ZIPStreamTests {
    @Test("what was taken is let go of, however long the file becomes", arguments: [4, 40])
    func memory(megabytes: Int) throws {
        let zip = try ZIPStream(time: Date(timeIntervalSince1970: 1_800_000_000))
        var generator = SystemRandomNumberGenerator()
        // Random, so that it is not compressed away.
        let block = (0..<128 * 1024).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
        var (most, taken) = (0, 0)
        try zip.beginFile("file")
        for _ in 0..<megabytes {
            for start in stride(from: 0, to: block.count, by: 16 * 1024) {
                try zip.write(Array(block[start..<start + 16 * 1024]))
                while zip.available >= 64 * 1024 { taken += zip.take(64 * 1024).count }
                most = max(most, zip.held)
            }
        }
        #expect(taken > (megabytes - 1) * 1_000_000)
        #expect(most < 1_000_000)
    }
}

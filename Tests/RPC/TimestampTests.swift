import Foundation
import RPC
import Testing

@Suite("Moments of dates")
struct TimestampTests {
    @Test(
        "a date beyond 64-bit seconds, or that is no moment at all, is the last or the first there is",
        arguments: [
            (Double.infinity, Int64.max - 1), (1e300, Int64.max - 1), (.nan, Int64.max - 1),
            (-Double.infinity, Int64.min), (-1e300, Int64.min),
        ])
    func ends(seconds: Double, expected: Int64) {
        let time = GoogleProtobuf.Timestamp(Date(timeIntervalSince1970: seconds))
        #expect(time == GoogleProtobuf.Timestamp(seconds: expected, nanos: 0))
    }

    @Test(
        "a date of whole milliseconds has no more than that, and comes back as it was",
        arguments: [-1, 0, 1, 1_796_000_000])
    func milliseconds(seconds: Int64) {
        for millisecond in 0..<1000 {
            let date = Date(timeIntervalSince1970: Double(seconds * 1000 + Int64(millisecond)) / 1000)
            let time = GoogleProtobuf.Timestamp(date)
            #expect(time == GoogleProtobuf.Timestamp(seconds: seconds, nanos: Int32(millisecond) * 1_000_000))
            #expect(time.date == date)
        }
        let next = GoogleProtobuf.Timestamp(Date(timeIntervalSince1970: Double(seconds) + 0.9999999))
        #expect(next == GoogleProtobuf.Timestamp(seconds: seconds + 1, nanos: 0))
    }
}

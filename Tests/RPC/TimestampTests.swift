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
}

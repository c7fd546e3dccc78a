import Foundation
import RetentionCore
import Testing

@Suite("Times in the ledger")
struct LedgerTimeTests {
    @Test("every millisecond survives being written and read")
    func milliseconds() {
        for milliseconds in stride(from: Int64(1_770_000_000_000), to: 1_770_000_003_000, by: 1) {
            let date = LedgerTime.date(milliseconds: milliseconds)
            #expect(LedgerTime.milliseconds(date) == milliseconds)
            #expect(LedgerTime.date(text: LedgerTime.text(date)) == date)
        }
    }

    @Test("times are written as RFC 3339 in UTC with three decimals")
    func text() {
        #expect(LedgerTime.text(Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000Z")
        #expect(LedgerTime.text(Date(timeIntervalSince1970: -0.001)) == "1969-12-31T23:59:59.999Z")
        #expect(LedgerTime.text(Date(timeIntervalSince1970: 951_782_400.25)) == "2000-02-29T00:00:00.250Z")
    }

    @Test(
        "another spelling of a time is not read",
        arguments: [
            "", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.00Z", "2026-01-31t10:00:00.000Z",
            "2026-01-31T10:00:00.000z",
            "2026-02-31T10:00:00.000Z", "2026-01-31T24:00:00.000Z", "2026-01-31T10:60:00.000Z",
            "2026-01-31T10:00:60.000Z",
            "2026-01-31 10:00:00.000Z", "2026-01-31T10:00:00,000Z", "-026-01-31T10:00:00.000Z",
            "2026-01-31T10:00:00.000+",
        ])
    func refused(text: String) {
        #expect(LedgerTime.date(text: text) == nil)
    }
}

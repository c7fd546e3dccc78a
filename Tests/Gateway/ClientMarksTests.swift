import Crypto
import GatewayCore
import Testing

@Suite("the marks that clients are told apart by")
struct ClientMarksTests {
    private let start = ContinuousClock.now
    private let client = ClientAddress(bytes: [192, 0, 2, 1])

    @Test("one client has one mark, and another another")
    func tellsApart() {
        var marks = ClientMarks(now: start)
        let mark = marks.mark(of: client, now: start)
        #expect(marks.mark(of: client, now: start + .seconds(86_399)) == mark)
        #expect(marks.mark(of: ClientAddress(bytes: [192, 0, 2, 2]), now: start) != mark)
    }

    @Test("a mark says nothing of the address, and is another after a day and in another process")
    func forgets() {
        let keys = Counter()
        var marks = ClientMarks(now: start) {
            keys.increment()
            return SymmetricKey(size: .bits256)
        }
        let mark = marks.mark(of: client, now: start)
        #expect(!mark.contains("c0.0.2.1"))
        #expect(marks.mark(of: client, now: start + .seconds(86_400)) != mark)
        #expect(keys.value == 2)
        var others = ClientMarks(now: start)
        #expect(others.mark(of: client, now: start) != mark)
    }
}

import Privacy
import Testing

@Suite("A position in a live feed")
struct FeedPositionTests {
    @Test("is read as it was written", arguments: [0, 1, 42, Int64.max])
    func roundTrip(sequence: Int64) throws {
        let position = FeedPosition(epoch: .random(), sequence: sequence)
        #expect(FeedPosition(position.text) == position)
        #expect(position.text.utf8.count <= 36)
    }

    @Test(
        "in any other writing is none",
        arguments: [
            "", "0", "12", "-", "0123456789abcdef", "0123456789abcdef-", "0123456789abcdef-x", "0123456789abcdef--1",
            "0123456789abcdef-+1", "0123456789abcdef-01", "0123456789abcdef-1-2", "0123456789ABCDEF-1",
            "0123456789abcde-1", "0123456789abcdef0-1", "0123456789abcdef-9223372036854775808", " 0123456789abcdef-1",
            "0123456789abcdef-1\n", "0123456789abcdef-١", "0123456789abcdeé-1",
        ])
    func malformed(text: String) {
        #expect(FeedPosition(text) == nil)
        #expect(FeedPosition(String(repeating: text + "a", count: 100)) == nil)
    }

    @Test("of an epoch drawn anew is another, and no store has the one of none")
    func epochs() {
        let epochs = (0..<1000).map { _ in FeedEpoch.random() }
        #expect(Set(epochs).count == epochs.count && !epochs.contains(.none))
        #expect(epochs.allSatisfy { FeedEpoch($0.text) == $0 })
    }
}

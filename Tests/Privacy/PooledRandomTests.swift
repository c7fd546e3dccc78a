import Testing

@testable import Privacy

@Suite("Random numbers from the pool")
struct PooledRandomTests {
    @Test("no number is given out twice, however many ask at the same time, and none is one that was wiped")
    func distinct() async {
        let numbers = await withTaskGroup(of: [UInt64].self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    var generator = PooledRandom()
                    return (0..<10_000).map { _ in generator.next() }
                }
            }
            return await tasks.reduce(into: []) { $0 += $1 }
        }
        // Of 80,000 numbers of 64 bits, two are alike once in six billion runs.
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers.contains(0) == false)
        let ones = numbers.reduce(0) { $0 + $1.nonzeroBitCount }
        #expect(abs(ones - numbers.count * 32) < numbers.count / 4)
    }
}

import Testing

/// What libFuzzer is given to start with, and what a seeded generator makes of it, without libFuzzer: the same inputs in
/// every run. A crash leaves its input in the temporary folder, as `samtal-fuzz-TARGET-PROCESS`.
@Suite("What is fuzzed", .timeLimit(.minutes(4)))
struct RegressionTests {
    /// Inputs made of the seeds, for each target: some seconds' worth.
    private static let mutations: [FuzzTarget: Int] = [
        .messages: 20_000, .json: 20_000, .framing: 20_000, .connection: 1500, .clientConnection: 1500,
    ]
    private static let maximumLength = 4096

    @Test("every target has seeds, and every folder of seeds a target")
    func seeds() throws {
        #expect(try Seeds.folders() == FuzzTarget.allCases.map(\.rawValue).sorted())
        for target in FuzzTarget.allCases {
            #expect(try !Seeds.all(of: target).isEmpty, "\(target.rawValue)")
        }
    }

    @Test("what must hold for every input holds for the seeds", arguments: FuzzTarget.allCases)
    func seedsHold(_ target: FuzzTarget) throws {
        let current = CurrentInput(target)
        for seed in try Seeds.all(of: target) {
            current.set(seed.bytes)
            run(target, seed.bytes, "the seed \(seed.name)")
        }
        current.remove()
    }

    @Test("what must hold for every input holds for what is made of the seeds", arguments: FuzzTarget.allCases)
    func mutationsHold(_ target: FuzzTarget) throws {
        let seeds = try Seeds.all(of: target)
        let current = CurrentInput(target)
        var mutator = Mutator(seed: 9)
        for _ in 0..<(RegressionTests.mutations[target] ?? 0) {
            guard let seed = seeds.randomElement(using: &mutator), let other = seeds.randomElement(using: &mutator)
            else { break }
            let bytes = mutator.mutate(
                seed.bytes, with: other.bytes, maximumLength: RegressionTests.maximumLength)
            current.set(bytes)
            guard run(target, bytes, "made of \(seed.name)") else { break }
        }
        current.remove()
    }

    /// False when something doesn't hold.
    @discardableResult
    private func run(_ target: FuzzTarget, _ bytes: [UInt8], _ origin: String) -> Bool {
        do throws(FuzzFailure) {
            try target.run(bytes)
            return true
        } catch {
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            Issue.record("\(target.rawValue), \(origin): \(error)\n\(digits)")
            return false
        }
    }
}

import ServiceKit
import Testing

@Suite("connections and descriptors")
struct DescriptorBudgetTests {
    @Test("bounds on connections follow the descriptors there are, and are never none")
    func bounds() {
        #expect(DescriptorBudget(limit: 64).connections(atMost: 1024) == 16)
        #expect(DescriptorBudget(limit: 1024).connections(atMost: 1024) == 496)
        #expect(DescriptorBudget(limit: 1_048_576).connections(atMost: 1024) == 1024)
        for limit in [0, 10, DescriptorBudget.reserved, DescriptorBudget.reserved + 1] {
            #expect(DescriptorBudget(limit: limit).connections(atMost: 1024) == 1, "\(limit)")
        }
    }

    @Test("this process has descriptors")
    func current() { #expect(DescriptorBudget.current().limit >= 64) }
}

package import ServiceKit

/// The bounds of the file store, by name.
package struct StoreLimits: Sendable, Hashable {
    /// Sessions' files that are open at the same time: two descriptors and about 150 kB each.
    package var openFiles = 1_024
    /// Questions whose outline is in memory, of all open sessions: about a hundred bytes each.
    package var questionsInMemory = 3_000_000
    /// Threads that work on sessions' files. They wait for the disk more than they compute.
    package var threads = 8
    /// Calls that wait for sessions' files, in all and for one of them.
    package var waiting = 16_384
    package var waitingOfSession = 2_048
    /// Bytes of the index above which it is not rewritten: nobody shall wait long for it.
    package var indexRewrittenTo = 16 << 20

    /// How often it is rewritten at most, when sessions were erased.
    package var indexRewrittenEvery: Duration = .seconds(60)

    package init() {}

    /// With as many open files as the process's descriptors allow: a quarter of those that connections leave.
    package init(_ budget: DescriptorBudget) {
        openFiles = max(min(openFiles, (budget.limit - DescriptorBudget.reserved) / 8), 8)
    }
}

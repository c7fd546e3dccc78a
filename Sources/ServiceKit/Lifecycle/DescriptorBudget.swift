internal import Glibc

/// How many connections a process may have, so that its descriptors suffice for them and for its files.
///
/// A bound that lies above the descriptors there are is none: the kernel refuses first, and whatever opens a file next
/// fails as well.
public struct DescriptorBudget: Sendable, Equatable {
    /// For files, the event loops, and connections to the neighbours.
    public static let reserved = 32

    /// What the process may have open (RLIMIT_NOFILE).
    public var limit: Int

    public init(limit: Int) { self.limit = limit }

    /// Of this process, as it is now.
    public static func current() -> DescriptorBudget {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return DescriptorBudget(limit: 1024)
        }
        return DescriptorBudget(limit: Int(min(limit.rlim_cur, rlim_t(Int32.max))))
    }

    /// For one of the two kinds of connections that a process may serve, gRPC and HTTP: half of what is not reserved,
    /// and one in any case.
    ///
    /// - Parameter wanted: the bound where there are descriptors enough.
    public func connections(atMost wanted: Int) -> Int {
        min(wanted, max(1, (limit - Self.reserved) / 2))
    }
}

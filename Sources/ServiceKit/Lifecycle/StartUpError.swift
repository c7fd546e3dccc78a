/// Why a service doesn't start, and what to do about it: one line for whoever started it.
public struct StartUpError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, without a full stop.
    public var problem: String
    /// What to do, as a phrase in the imperative.
    public var remedy: String

    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(problem): \(remedy)" }
}

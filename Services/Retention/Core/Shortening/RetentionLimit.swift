/// What shortens the sessions that there are. Both are the controller's: the policy it sets, and the cap of an agreement
/// that it has confirmed.
package enum RetentionLimit: Sendable, Equatable {
    case policy(Policy)
    case cap(Agreement)

    /// After a session's end.
    package var days: Int {
        switch self {
        case .policy(let policy): policy.retentionDays
        case .cap(let agreement): agreement.capDays
        }
    }
}

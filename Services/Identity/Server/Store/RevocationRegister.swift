internal import Foundation
internal import IdentityCore
package import ServiceKit
internal import Synchronization

/// The revoked sign-ins in memory, so that services may ask every other second and identity's own calls are refused at
/// once. The store's rows are for a restart.
package final class RevocationRegister: Sendable {
    /// What identity itself refuses.
    package let refused = RevokedSignIns()
    private let list = Mutex(RevokedSignInList())

    package init() {}

    /// The ids, and the time by which all tokens are refused that were issued until then.
    func current(at now: ClockTimes) -> (ids: [String], issuedUntil: Date?) {
        change { $0.forget(at: now) }
    }

    /// - Parameters:
    ///   - times: when they were ended.
    ///   - now: what the clocks say now; nil: the same.
    func add(_ ids: [String], at times: ClockTimes, now: ClockTimes? = nil) {
        change { list in
            for id in ids { list.add(id, at: times) }
            list.forget(at: now ?? times)
        }
    }

    @discardableResult
    private func change(_ body: (inout RevokedSignInList) -> Void) -> (ids: [String], issuedUntil: Date?) {
        list.withLock { list in
            let before = list
            body(&list)
            let ids = list.ids
            // Within the lock, so that what was known last is what is refused.
            if list != before { refused.replace(ids: ids, issuedUntil: list.issuedUntil) }
            return (ids, list.issuedUntil)
        }
    }
}

package import Foundation

/// How far the erasure of one session has come. Stored after every step, so that an erasure which was interrupted
/// anywhere goes on from there; it only ever moves forward.
///
///     live → requested → keyDestroyed → contentErased → certified
///
/// `requested` is written before the key is touched: it is what makes an erasure that somebody asked for survive a
/// crash. From `keyDestroyed` on nobody can read the content any more, whatever happens to the rest.
package enum ErasureState: Sendable, Equatable {
    case live
    case requested(ErasureTrigger)
    case keyDestroyed(ErasureTrigger, at: Date)
    case contentErased(ErasureTrigger, keyDestroyedAt: Date, at: Date)
    case certified

    /// A step that does not follow from the state.
    package struct OutOfOrder: Error, Sendable, Equatable {
        package init() {}
    }

    /// Nil when nothing was asked for, or all is done.
    package var nextStep: ErasureStep? {
        switch self {
        case .live, .certified: nil
        case .requested: .destroyKey
        case .keyDestroyed: .eraseContent
        case .contentErased: .certify
        }
    }

    /// Whether the key was destroyed, so that there must be none.
    package var isKeyDestroyed: Bool {
        switch self {
        case .live, .requested: false
        case .keyDestroyed, .contentErased, .certified: true
        }
    }

    /// Begins an erasure. One that has begun keeps what started it.
    package mutating func request(_ trigger: ErasureTrigger) {
        if case .live = self { self = .requested(trigger) }
    }

    /// The key is gone from every file.
    package mutating func destroyedKey(at time: Date) throws(OutOfOrder) {
        guard case .requested(let trigger) = self else { throw OutOfOrder() }
        self = .keyDestroyed(trigger, at: time)
    }

    /// The key, which had not been found, has been found after the content was erased, and is gone since then.
    package mutating func foundKey(at time: Date) throws(OutOfOrder) {
        guard case .contentErased(let trigger, _, let erased) = self else { throw OutOfOrder() }
        self = .contentErased(trigger, keyDestroyedAt: time, at: max(erased, time))
    }

    /// Chat has erased the content, and said what it saw.
    package mutating func erasedContent(at time: Date) throws(OutOfOrder) {
        guard case .keyDestroyed(let trigger, let keyDestroyedAt) = self else { throw OutOfOrder() }
        self = .contentErased(trigger, keyDestroyedAt: keyDestroyedAt, at: time)
    }

    /// The certificate is in the ledger.
    package mutating func certify() throws(OutOfOrder) {
        guard case .contentErased = self else { throw OutOfOrder() }
        self = .certified
    }
}

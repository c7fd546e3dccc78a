/// Points between two steps that are durable, in the order they come. Tests stop the store there, as a crash would.
package enum StoreStep: Sendable, Hashable, CaseIterable {
    /// The feeds' new epoch is stored; what says that the store was restored is still there.
    case feedEpochDrawn
    /// The row says that a session is being made.
    case creationListed
    /// Its file is durable.
    case creationStored
    /// The row says that the file is being changed.
    case changeListed
    /// The file is changed.
    case changeStored
    /// The session is written anew, beside its file.
    case resealStored
    /// What was written anew is the session's file.
    case resealExchanged
    /// The row says that the file is being taken away.
    case erasureListed
    /// The file is gone.
    case erasureUnlinked
}

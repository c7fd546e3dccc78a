/// Everything that retention refuses. Messages are safe to show: they hold no personal data.
package enum RetentionError: Error, Sendable, Equatable {
    /// A field of the request, and what is wrong with it.
    case invalidField(String, String)
    /// There is no such organisation.
    case organisationNotFound
    /// The organisation has no agreement to show.
    case agreementNotFound
    /// The organisation has no agreement, and what was asked for needs one.
    case agreementRequired
    /// The organisation has as many sessions as one may have at a time.
    case tooManySessions
    /// The organisation's policy, or its agreement, has as many versions as a bound, which is named, lets be on record.
    case tooManyVersions(bound: String, most: Int)
    /// The agreement to confirm is not the one in force, whose version is given.
    case agreementSuperseded(latest: Int64)
    /// Other sessions would be erased at once than was agreed to: so many, and so many.
    case erasuresUnconfirmed(expected: Int, actual: Int)
    /// As many as was agreed to, but other ones.
    case previewOutdated
    /// That sessions are erased the moment they end was not said to be meant.
    case zeroDaysUnconfirmed
    /// Unknown, erased, past its time, or another organisation's: nobody can tell which.
    case sessionNotFound
    /// The session has been neither ended nor left a draft.
    case sessionOpen
    /// It is not one of which nothing was ever kept.
    case sessionInUse
    /// Another content key is in use, whose version is given, or a change of it is not where the caller thinks it is.
    case otherKeyVersion(current: Int64)
    /// Chat found no question of a session that had some: so many.
    case contentMissing(asked: Int64)
    /// No slot held any key of the session, and none was seen to be overwritten.
    case keysMissing
    /// `confirm_session_id` does not repeat the session's id.
    case confirmationMismatch
    /// The session has not been erased.
    case certificateNotFound
    /// A live session's key is not where it should be: its content can't be read.
    case keyLost
    /// Chat answered, but not in a way that can be used.
    case chatUnusable
    /// The ledger's anchor is not as it was, so no certificate is signed until the operator has seen to it.
    case ledgerAnchorUnusable(AnchorCondition)
    /// A number that the operator gave for the ledger to go on after is below one that was given out: this one.
    case ledgerNumberTaken(Int64)
    /// The ledger has its anchor, and there is nothing to accept.
    case ledgerAnchorUsable
    /// A backup is being taken: no session changes its keys meanwhile.
    case backupUnderWay
    /// No copy of keys is on record that is being taken now.
    case keyCopyNotRecorded
    /// As many exports are under way as a bound, which is named, lets be.
    case tooManyExports(bound: String)
    /// As many erasures are waited for as a bound, which is named, lets be.
    case tooManyErasures(bound: String)
}

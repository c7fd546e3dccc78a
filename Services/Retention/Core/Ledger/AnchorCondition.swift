/// How a ledger's anchor was found.
package enum AnchorCondition: String, Sendable, CaseIterable {
    /// It says what the ledger says, or more, which the ledger then took over.
    case usable
    /// It is not where it should be, though the ledger has certificates, or was restored.
    case missing
    /// It can't be read to its end.
    case damaged
    /// It holds another certificate of a number than the ledger does.
    case forked
}

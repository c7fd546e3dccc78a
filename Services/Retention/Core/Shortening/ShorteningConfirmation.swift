/// What whoever shortens a retention time has been shown, and meant. Without it nothing is erased by a number alone.
package struct ShorteningConfirmation: Sendable, Equatable {
    /// Sessions that are erased at once.
    package var erasures: Int
    /// That each session is erased the moment it ends, before anybody can export it.
    package var zeroDays: Bool

    package init(erasures: Int, zeroDays: Bool) {
        self.erasures = erasures
        self.zeroDays = zeroDays
    }

    /// - Parameter preview: of this moment.
    /// - Throws: `RetentionError`: `zeroDaysUnconfirmed`, or `erasuresUnconfirmed` unless exactly so many are erased.
    package func check(_ preview: RetentionPreview) throws(RetentionError) {
        guard preview.retentionDays > 0 || zeroDays else { throw .zeroDaysUnconfirmed }
        guard preview.erased == erasures else {
            throw .erasuresUnconfirmed(expected: erasures, actual: preview.erased)
        }
    }
}

/// What whoever shortens a retention time has been shown, and meant. Without it nothing is erased by a number alone.
package struct ShorteningConfirmation: Sendable, Equatable {
    /// Sessions that are erased at once.
    package var erasures: Int
    /// That each session is erased the moment it ends, before anybody can export it.
    package var zeroDays: Bool
    /// ``RetentionPreview/version`` of what was shown: the same number of other sessions is something else. Empty: the
    /// number is enough.
    package var previewVersion: String

    package init(erasures: Int, zeroDays: Bool, previewVersion: String = "") {
        self.erasures = erasures
        self.zeroDays = zeroDays
        self.previewVersion = previewVersion
    }

    /// - Parameter preview: of this moment.
    /// - Throws: `RetentionError`: `zeroDaysUnconfirmed`; `erasuresUnconfirmed` unless exactly so many are erased;
    ///   `previewOutdated` if they are others.
    package func check(_ preview: RetentionPreview) throws(RetentionError) {
        guard preview.retentionDays > 0 || zeroDays else { throw .zeroDaysUnconfirmed }
        guard preview.erased == erasures else {
            throw .erasuresUnconfirmed(expected: erasures, actual: preview.erased)
        }
        guard previewVersion.isEmpty || previewVersion == preview.version else { throw .previewOutdated }
    }
}

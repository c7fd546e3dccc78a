/// What was seen when a session's keys were destroyed: for the certificate.
package struct KeyDestruction: Sendable, Equatable {
    /// How an overwritten slot was read again.
    package enum ReadBack: String, Sendable, CaseIterable {
        /// From the device, past the page cache.
        case pastPageCache = "past-page-cache"
        /// After the page cache was told to let go of it.
        case afterDroppingCache = "after-dropping-page-cache"
    }

    /// Whether a slot lay in the same blocks of the device before and after it was overwritten.
    package enum Place: String, Sendable, CaseIterable {
        case same = "same-blocks"
        /// The new bytes went elsewhere: the old ones may still be where they were.
        case moved = "moved"
        /// The file system does not say.
        case unseen = "not-visible"
    }

    /// Slots that held one of the session's keys, and were overwritten. 0: none was found, and so none was destroyed; such
    /// an erasure is not certified.
    package var slots: Int64
    /// Of several slots what says least; nil without any.
    package var readBack: ReadBack?
    package var place: Place?
    /// The file system that the slots lie on, such as `ext4`.
    package var medium: String
    /// Why that may keep copies of what is overwritten, such as `copy-on-write`; empty where nothing was found.
    package var risks: [String]

    package init(slots: Int64, readBack: ReadBack? = nil, place: Place? = nil, medium: String, risks: [String] = []) {
        self.slots = slots
        self.readBack = readBack
        self.place = place
        self.medium = medium
        self.risks = risks
    }

    /// Adds what was seen of one more slot.
    package mutating func add(_ readBack: ReadBack, _ place: Place) {
        slots += 1
        self.readBack = self.readBack == .afterDroppingCache ? .afterDroppingCache : readBack
        switch (self.place, place) {
        case (.moved?, _), (_, .moved): self.place = .moved
        case (.unseen?, _), (_, .unseen): self.place = .unseen
        default: self.place = .same
        }
    }
}

package import Foundation

/// What chat saw when it erased a session's content: for the certificate.
package struct ContentErasure: Sendable, Equatable {
    package enum Found: String, Sendable, CaseIterable {
        /// The session's file was there, and was unlinked with what belongs to it.
        case fileUnlinked = "file-unlinked"
        /// An earlier erasure was on record; the rest is what that one saw.
        case erasedEarlier = "erased-earlier"
        /// Nothing listed the session, nothing was stored of it, and no erasure was on record.
        case neverHeld = "never-held"
    }

    package var found: Found
    /// Files that were unlinked, and their bytes.
    package var files: Int64
    package var bytes: Int64
    /// By chat's clock.
    package var time: Date
    /// How much there was; nil where the content was too damaged to tell.
    package var counts: ErasedCounts?

    package init(found: Found, files: Int64 = 0, bytes: Int64 = 0, time: Date, counts: ErasedCounts? = ErasedCounts()) {
        self.found = found
        self.files = files
        self.bytes = bytes
        self.time = time
        self.counts = counts
    }
}

package import Foundation

/// What was observed when a session's content was erased.
package struct ErasureEvidence: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        /// It was there, and was taken away by this erasure.
        case removed
        /// There is a record of an earlier erasure; the rest is what that one observed.
        case erasedEarlier
        /// The session was never here: nothing lists it, nothing is stored of it, and no erasure is on record.
        case neverHeld
    }

    package var content: Content
    /// Of the content; nil if it was too damaged to tell.
    package var counts: ContentCounts?
    /// Files that were unlinked, and the bytes they had.
    package var files: Int
    package var bytes: Int64
    /// By chat's clock. Whole milliseconds.
    package var time: Date

    package init(content: Content, counts: ContentCounts?, files: Int, bytes: Int64, time: Date) {
        self.content = content
        self.counts = counts
        self.files = files
        self.bytes = bytes
        self.time = time
    }
}

/// How much a session holds.
package struct ContentCounts: Sendable, Hashable {
    package var questions: Int
    package var answers: Int
    package var events: Int

    package init(questions: Int = 0, answers: Int = 0, events: Int = 0) {
        self.questions = questions
        self.answers = answers
        self.events = events
    }
}

package import Foundation

/// A copy of the session keys that was taken for a backup: until it is gone, a holder of it and of a copy of the content can read
/// what was erased since.
package struct KeyCopy: Sendable, Equatable {
    package var createTime: Date
    /// When it is to be gone.
    package var expireTime: Date

    package init(createTime: Date, expireTime: Date) {
        self.createTime = createTime
        self.expireTime = expireTime
    }
}

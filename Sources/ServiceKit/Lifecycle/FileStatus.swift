internal import Glibc

/// What is known of an open file.
package struct FileStatus: Sendable {
    package let isRegular: Bool
    package let owner: UInt32
    /// Whether anybody but its owner may read or write it.
    package let isOpenToOthers: Bool

    /// Nil if that can't be told.
    package init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        isRegular = status.st_mode & S_IFMT == S_IFREG
        owner = status.st_uid
        isOpenToOthers = status.st_mode & 0o077 != 0
    }
}

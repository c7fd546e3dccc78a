internal import Foundation

/// An advisory lock that one process holds on one path. The kernel releases it when the process ends, however it ends;
/// the file itself stays, because removing it would let two processes lock two files of the same name.
final class ProcessLock: Sendable {
    private let descriptor: CInt

    /// Creates the file with mode 0600 if it is missing. Never waits.
    /// - Throws: ``StorageError/Code/locked`` if the lock is taken.
    init(path: String) throws(StorageError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(errno: errno, "the lock file can't be opened")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            Foundation.close(descriptor)
            throw reason == EWOULDBLOCK
                ? StorageError(.locked, "the database is open in another process; end that one first")
                : StorageError(errno: reason, "the lock file can't be locked")
        }
        self.descriptor = descriptor
    }

    deinit {
        Foundation.close(descriptor)
    }
}

import Foundation
import RetentionCore
import Storage

/// The file of a ledger's anchor: lines are appended, each durable before anybody is told, and none is ever changed.
///
/// Not thread-safe: its owner does one thing at a time.
struct AnchorFile {
    /// Read at a time.
    private static let chunk = 65_536

    private let descriptor: CInt
    private(set) var size: Int

    /// Why a file can't be read to its end.
    enum Problem: Error {
        /// A line before the last is not what was written.
        case damaged
        case locked
        case inputOutput(CInt)
    }

    /// - Returns: nil where there is no file.
    static func open(_ path: String) throws -> AnchorFile? {
        let descriptor = Glibc.open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Problem.inputOutput(errno)
        }
        return try AnchorFile(locking: descriptor)
    }

    /// Makes the file (0600), in place of one of that name.
    static func create(_ path: String) throws -> AnchorFile {
        unlink(path)
        let descriptor = Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Problem.inputOutput(errno) }
        return try AnchorFile(locking: descriptor)
    }

    /// Makes names in a folder as durable as what is in the files.
    static func synchroniseFolder(_ path: String) throws {
        let folder = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Problem.inputOutput(errno) }
        defer { Glibc.close(folder) }
        guard fsync(folder) == 0 else { throw Problem.inputOutput(errno) }
    }

    private init(locking descriptor: CInt) throws {
        var status = stat()
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            Glibc.close(descriptor)
            throw reason == EWOULDBLOCK ? Problem.locked : Problem.inputOutput(reason)
        }
        guard fstat(descriptor, &status) == 0 else { throw Problem.inputOutput(errno) }
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    func close() { Glibc.close(descriptor) }

    /// Reads records from an offset on, in order. What is left of a last line that was cut short by a crash is taken away:
    /// nobody was told of it.
    ///
    /// - Parameter body: is given each record and the offset after it; returns false to stop.
    /// - Throws: `Problem.damaged`; what the body throws.
    mutating func read(from start: Int = 0, _ body: (AnchorRecord, _ end: Int) throws -> Bool) throws {
        var rest: [UInt8] = []
        var offset = start
        var position = start
        while position < size {
            let bytes = try readChunk(at: position)
            guard !bytes.isEmpty else { break }
            position += bytes.count
            rest += bytes
            var begin = rest.startIndex
            while let end = rest[begin...].firstIndex(of: UInt8(ascii: "\n")) {
                let next = offset + (end - begin) + 1
                guard let record = AnchorRecord(line: rest[begin..<end]) else {
                    // A last line may have been torn in any way.
                    guard next == size else { throw Problem.damaged }
                    return try truncate(to: offset)
                }
                guard try body(record, next) else { return }
                begin = end + 1
                offset = next
            }
            rest.removeSubrange(..<begin)
            guard rest.count <= AnchorRecord.maximumBytes else { throw Problem.damaged }
        }
        if !rest.isEmpty { try truncate(to: offset) }
    }

    private func readChunk(at position: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: min(Self.chunk, size - position))
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(position)) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Problem.inputOutput(errno) }
            buffer.removeSubrange(count...)
            return buffer
        }
    }

    /// Appends records, durable when this returns. If it fails, the file is as it was.
    mutating func append(_ records: [AnchorRecord]) throws(StorageError) {
        let bytes = records.flatMap(\.line)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw undone() }
            written += count
        }
        guard fdatasync(descriptor) == 0 else { throw undone() }
        size += bytes.count
    }

    private func undone() -> StorageError {
        let reason = errno
        // If this fails too, what was written of a line is taken away when the file is opened.
        _ = ftruncate(descriptor, off_t(size))
        let isFull = reason == ENOSPC || reason == EDQUOT
        return StorageError(
            isFull ? .full : .other,
            isFull ? "the disk of the ledger's anchor is full" : "the ledger's anchor can't be written")
    }

    private mutating func truncate(to length: Int) throws {
        guard ftruncate(descriptor, off_t(length)) == 0, fdatasync(descriptor) == 0 else {
            throw Problem.inputOutput(errno)
        }
        size = length
    }
}

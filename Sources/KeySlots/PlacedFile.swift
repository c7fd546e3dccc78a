internal import CLinux
internal import Foundation

/// A file whose blocks stay where they are: written in place, made durable, and read back past the page cache.
///
/// Not thread-safe: whoever owns it does one thing at a time.
final class PlacedFile {
    /// What reads that pass by the page cache are aligned to.
    static let blockSize = 4096

    let path: String
    private let descriptor: CInt
    /// Reads past the page cache; nil where the file system can't, as tmpfs.
    private let direct: CInt?

    /// - Parameter isNew: creates it (0600), and fails if it is there.
    init(path: String, isNew: Bool = false) throws(KeySlotError) {
        self.path = path
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (isNew ? O_CREAT | O_EXCL : 0)
        descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { throw Self.error("a file of key slots can't be opened") }
        let direct = samtal_open_direct(path)
        self.direct = direct >= 0 ? direct : nil
    }

    deinit {
        close(descriptor)
        if let direct { close(direct) }
    }

    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    func read(at offset: Int, count: Int) throws(KeySlotError) -> [UInt8] {
        try Self.read(descriptor, at: offset, count: count)
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(KeySlotError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress! + written, bytes.count - written, off_t(offset + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error("key slots can't be written") }
            written += count
        }
    }

    func synchronise() throws(KeySlotError) {
        guard fdatasync(descriptor) == 0 else { throw Self.error("key slots can't be synchronised") }
    }

    /// Gives back what was appended after `size`, when appending has failed half-way.
    func truncate(to size: Int) {
        // If this fails too, a longer file is looked at again when it is opened.
        _ = ftruncate(descriptor, off_t(size))
    }

    /// What the medium holds, as far as it can be told from here: read past the page cache, or after dropping it.
    func readBack(at offset: Int, count: Int) throws(KeySlotError) -> (bytes: [UInt8], way: ReadBack) {
        if let direct {
            let first = offset / Self.blockSize * Self.blockSize
            let length = (offset + count - first + Self.blockSize - 1) / Self.blockSize * Self.blockSize
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: Self.blockSize)
            defer {
                samtal_wipe(buffer.baseAddress, length)
                buffer.deallocate()
            }
            let got = pread(direct, buffer.baseAddress, length, off_t(first))
            if got >= offset - first + count {
                return (Array(buffer[(offset - first)..<(offset - first + count)]), .pastPageCache)
            }
            guard got < 0, errno == EINVAL else { throw Self.error("key slots can't be read back") }
        }
        // The pages are clean after fdatasync, so the kernel may let them go.
        posix_fadvise(descriptor, off_t(offset), off_t(count), Int32(POSIX_FADV_DONTNEED))
        return (try read(at: offset, count: count), .afterDroppingCache)
    }

    /// Where a byte lies on the device; nil where the file system does not tell.
    func physicalPlace(of offset: Int) -> UInt64? {
        var physical: UInt64 = 0
        var flags: UInt32 = 0
        guard samtal_physical_place(descriptor, UInt64(offset), &physical, &flags) == 1 else { return nil }
        return physical
    }

    /// Whether any block is shared with another file or a snapshot: a copy that overwriting would leave behind.
    func sharesBlocks(every step: Int) -> Bool {
        stride(from: 0, to: size, by: step).contains { offset in
            var physical: UInt64 = 0
            var flags: UInt32 = 0
            return samtal_physical_place(descriptor, UInt64(offset), &physical, &flags) == 1
                && flags & UInt32(FIEMAP_EXTENT_SHARED) != 0
        }
    }

    /// Whether the file's data goes through the file system's journal or compression (chattr +j, +c).
    var isJournalledOrCompressed: Bool {
        var attributes: UInt32 = 0
        guard samtal_file_attributes(descriptor, &attributes) == 0 else { return false }
        return attributes & (0x4000 | 0x4) != 0
    }

    static func synchroniseFolder(_ path: String) throws(KeySlotError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw error("the folder of the key slots can't be opened") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw error("the folder of the key slots can't be synchronised") }
    }

    private static func read(_ descriptor: CInt, at offset: Int, count: Int) throws(KeySlotError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw error("key slots can't be read") }
            guard got > 0 else { throw KeySlotError(.malformed, "a file of key slots is cut short") }
            done += got
        }
        return bytes
    }

    private static func error(_ message: String) -> KeySlotError {
        let reason = errno
        let isFull = reason == ENOSPC || reason == EDQUOT
        return KeySlotError(isFull ? .full : .inputOutput, message, errno: reason)
    }
}

/// How it was seen that a slot is overwritten.
public enum ReadBack: String, Sendable, Hashable, CaseIterable {
    /// With O_DIRECT: what the block device answers.
    case pastPageCache = "past-page-cache"
    /// After the page cache was asked to drop the page; the file system does not read past it.
    case afterDroppingCache = "after-dropping-cache"
}

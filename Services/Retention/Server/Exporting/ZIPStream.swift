import CArchive
import Foundation

/// Writes a ZIP file as a stream: what libarchive puts out gathers in memory until it is taken away.
///
/// Owns libarchive's objects; one task uses it. Never opens a file: there is nothing to clean up but memory.
final class ZIPStream {
    struct Failure: Error {}

    /// `AE_IFREG`, a macro that Swift can not import.
    private static let regularFile: UInt32 = 0o100000

    private let archive: OpaquePointer
    private let output: Output
    private let time: Date

    /// - Parameter time: the modification time of the files in it.
    init(time: Date) throws {
        guard let archive = archive_write_new() else { throw Failure() }
        self.archive = archive
        self.output = Output()
        self.time = time
        // From here on deinit frees the archive, also when one of these throws.
        try check(archive_write_set_format_zip(archive))
        // Every block is handed over as it comes, and the last is not padded.
        try check(archive_write_set_bytes_per_block(archive, 0))
        try check(archive_write_set_bytes_in_last_block(archive, 1))
        // Unretained: `output` lives as long as the archive, and libarchive calls back only within calls made here.
        let pointer = Unmanaged.passUnretained(output).toOpaque()
        try check(
            archive_write_open2(
                archive, pointer, nil,
                { _, pointer, bytes, count in
                    guard let pointer, let bytes else { return -1 }
                    Unmanaged<Output>.fromOpaque(pointer).takeUnretainedValue().append(bytes, count)
                    return count
                }, nil, nil))
    }

    deinit {
        // Freeing finishes what was begun, which lets go of the compressor's memory, and writes: nobody wants it now.
        output.isDiscarding = true
        archive_write_free(archive)
    }

    /// How many bytes wait to be taken.
    var available: Int { output.count }
    /// Bytes that are in memory for it: those, and some that were taken.
    var held: Int { output.held }

    /// Takes at most `count` bytes of what waits.
    func take(_ count: Int) -> [UInt8] {
        output.take(count)
    }

    /// Begins the next file. Its size need not be known: it follows the content.
    func beginFile(_ name: String) throws {
        guard let entry = archive_entry_new() else { throw Failure() }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, name)
        archive_entry_set_filetype(entry, Self.regularFile)
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_mtime(entry, time_t(time.timeIntervalSince1970), 0)
        try check(archive_write_header(archive, entry))
    }

    func write(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        let written = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw Failure() }
    }

    func endFile() throws {
        try check(archive_write_finish_entry(archive))
    }

    /// Writes the directory of files; nothing can be written after.
    func finish() throws {
        try check(archive_write_close(archive))
    }

    private func check(_ result: Int32) throws {
        // A warning is a file that is not what was asked for.
        guard result == ARCHIVE_OK else { throw Failure() }
    }
}

extension ZIPStream {
    /// A queue of bytes. Used within calls of the stream that owns it, and by nobody else.
    private final class Output {
        private var bytes: [UInt8] = []
        private var taken = 0
        var isDiscarding = false
        /// Bytes that were taken and are still held.
        private static let longestTaken = 256 * 1024

        var count: Int { bytes.count - taken }
        var held: Int { bytes.count }

        func append(_ pointer: UnsafeRawPointer, _ count: Int) {
            guard !isDiscarding else { return }
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: pointer, count: count))
        }

        func take(_ count: Int) -> [UInt8] {
            let end = taken + min(count, self.count)
            let part = Array(bytes[taken..<end])
            taken = end
            if taken == bytes.count {
                bytes.removeAll(keepingCapacity: true)
                taken = 0
            } else if taken >= Self.longestTaken {
                // Less than a chunk is left as a rule: what was taken must not stay until the end.
                bytes.removeSubrange(..<taken)
                taken = 0
            }
            return part
        }
    }
}

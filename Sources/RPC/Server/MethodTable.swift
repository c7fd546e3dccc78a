/// Finds a method by the bytes of its path, without making a string of them.
///
/// Open addressing in a table at least twice as large as the number of methods, which never changes.
struct MethodTable: Sendable {
    /// One method. A class, so that the call that looked it up holds it with one reference.
    final class Entry: Sendable {
        let handler: MethodHandler
        /// Whether the handler starts with the headers and takes its requests as they come.
        let takesRequestStream: Bool
        fileprivate let path: [UInt8]

        init(_ handler: MethodHandler) {
            self.handler = handler
            takesRequestStream = handler.body.takesRequestStream
            path = Array(handler.method.path.utf8)
        }
    }

    private var slots: [Entry?]
    private let mask: Int

    /// Of two handlers for one path, the later counts.
    init(_ handlers: [MethodHandler]) {
        var capacity = 8
        while capacity < handlers.count * 2 { capacity *= 2 }
        slots = Array(repeating: nil, count: capacity)
        mask = capacity - 1
        for handler in handlers {
            let entry = Entry(handler)
            let position = entry.path.withUnsafeBytes { path in self.position(of: path) }
            slots[position] = entry
        }
    }

    subscript(_ path: UnsafeRawBufferPointer) -> Entry? {
        slots[position(of: path)]
    }

    /// Where the path is, or the empty place where it would be.
    private func position(of path: UnsafeRawBufferPointer) -> Int {
        // The length and the end tell methods apart well enough. The paths are ours, only the lookups are the caller's, so
        // no secret seed is needed.
        var end: UInt64 = 0
        withUnsafeMutableBytes(of: &end) { end in
            end.copyMemory(from: UnsafeRawBufferPointer(rebasing: path.suffix(end.count)))
        }
        let hash = (end ^ UInt64(path.count)) &* 0x9e37_79b9_7f4a_7c15
        var position = Int(truncatingIfNeeded: hash >> 32) & mask
        while let entry = slots[position], !entry.path.withUnsafeBytes({ path.hasSameBytes(as: $0) }) {
            position = (position + 1) & mask
        }
        return position
    }
}

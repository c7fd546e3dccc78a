internal import CNghttp2
internal import Glibc

/// Memory for the sessions of one event loop: nghttp2 takes and gives back eight small objects for every call, so blocks
/// that are given back are kept for the next call.
///
/// Kept are at most 512 blocks of each of eight sizes, 1.2 MB for a loop, whatever happened on it; the rest, and every
/// block of more than half a kilobyte, is the C library's.
final class SessionMemory: @unchecked Sendable {
    // Unchecked: belongs to one event loop, which is its only guard; sessions are made, used and let go of there.

    /// What precedes each block: its size class, or the negated size of a block that has none; and, while the block is
    /// kept, the next one that is. As long as the alignment that `malloc` promises.
    private static let headerBytes = 16
    private static let nextOffset = 8
    /// Blocks of a class have so many times this size, header included.
    private static let step = 64
    private static let classes = 8
    private static let keptPerClass = 512

    private struct Kept {
        var first: UnsafeMutableRawPointer?
        var count = 0
    }

    /// nghttp2 copies from it, but goes on using the lists: sessions hold this object.
    let functions: UnsafeMutablePointer<nghttp2_mem>
    private let lists: UnsafeMutablePointer<Kept>

    init() {
        lists = .allocate(capacity: SessionMemory.classes)
        lists.initialize(repeating: Kept(), count: SessionMemory.classes)
        functions = .allocate(capacity: 1)
        functions.initialize(
            to: nghttp2_mem(
                mem_user_data: UnsafeMutableRawPointer(lists),
                malloc: { size, lists in SessionMemory.take(size, lists) },
                free: { block, lists in SessionMemory.give(block, lists) },
                calloc: { count, size, lists in SessionMemory.takeZeroed(count, size, lists) },
                realloc: { block, size, lists in SessionMemory.resize(block, size, lists) }))
    }

    deinit {
        for index in 0..<SessionMemory.classes {
            while let block = lists[index].first {
                lists[index].first = SessionMemory.next(block)
                Glibc.free(block)
            }
        }
        lists.deallocate()
        functions.deallocate()
    }

    private static func next(_ block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        block.load(fromByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
    }

    private static func take(_ size: Int, _ lists: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= Int.max - headerBytes else { return nil }
        let index = (size + headerBytes - 1) / step
        guard index < classes, let list = lists?.assumingMemoryBound(to: Kept.self).advanced(by: index) else {
            return allocate(size + headerBytes, mark: -size)
        }
        guard let block = list.pointee.first else { return allocate((index + 1) * step, mark: index) }
        list.pointee.first = next(block)
        list.pointee.count -= 1
        return block + headerBytes
    }

    private static func allocate(_ bytes: Int, mark: Int) -> UnsafeMutableRawPointer? {
        guard let block = Glibc.malloc(bytes) else { return nil }
        block.storeBytes(of: mark, as: Int.self)
        return block + headerBytes
    }

    private static func takeZeroed(
        _ count: Int, _ size: Int, _ lists: UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, let block = take(bytes, lists) else { return nil }
        memset(block, 0, bytes)
        return block
    }

    private static func give(_ pointer: UnsafeMutableRawPointer?, _ lists: UnsafeMutableRawPointer?) {
        guard let pointer else { return }
        let block = pointer - headerBytes
        let index = block.load(as: Int.self)
        guard index >= 0, let list = lists?.assumingMemoryBound(to: Kept.self).advanced(by: index),
            list.pointee.count < keptPerClass
        else { return Glibc.free(block) }
        block.storeBytes(of: list.pointee.first, toByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
        list.pointee.first = block
        list.pointee.count += 1
    }

    private static func resize(
        _ pointer: UnsafeMutableRawPointer?, _ size: Int, _ lists: UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer? {
        guard let pointer else { return take(size, lists) }
        let mark = (pointer - headerBytes).load(as: Int.self)
        let held = mark >= 0 ? (mark + 1) * step - headerBytes : -mark
        guard let moved = take(size, lists) else { return nil }
        memcpy(moved, pointer, min(held, size))
        give(pointer, lists)
        return moved
    }
}

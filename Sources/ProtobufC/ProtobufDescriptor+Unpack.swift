internal import CProtobufC

extension ProtobufDescriptor {
    /// The memory that a message read from `byteCount` foreign bytes, protobuf or JSON, may take: in proportion to
    /// them, so that a small input can't be made large, and never above a fixed bound.
    static func memoryBudget(forInput byteCount: Int) -> Int {
        let proportional = byteCount.multipliedReportingOverflow(by: 32)
        let bound = 64 * 1024 * 1024
        return proportional.overflow ? bound : min(64 * 1024 + proportional.partialValue, bound)
    }

    /// Unpacks into this thread's arena and lends the C struct.
    ///
    /// The bytes are scanned first, because protobuf-c recurses without limit, merges duplicate submessages in
    /// quadratic time, and takes a `bool` of any wire type.
    ///
    /// - Throws: ``ProtobufError`` when the bytes aren't this message, or would take too much memory.
    package func withUnpacked<Result>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawPointer, Arena) throws(ProtobufError) -> Result
    ) throws(ProtobufError) -> Result {
        var scan = WireScan(byteCount: bytes.count)
        try scan.message(bytes, message, depth: 1)
        return try Arena.lend(budget: Self.memoryBudget(forInput: bytes.count)) { arena throws(ProtobufError) in
            guard let unpacked = arena.unpack(bytes, message) else {
                throw ProtobufError(reason: Reason.tooLarge)
            }
            return try body(unpacked, arena)
        }
    }
}

extension Arena {
    /// The message in this arena, or `nil` when the budget is spent.
    fileprivate func unpack(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> UnsafeMutableRawPointer? {
        var allocator = ProtobufCAllocator(
            alloc: { arena, size in
                guard let arena else { return nil }
                return Unmanaged<Arena>.fromOpaque(arena)._withUnsafeGuaranteedRef { $0.allocateWithinBudget(size) }
            },
            free: { _, _ in },  // the arena is given back whole
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
        return withExtendedLifetime(self) {
            UnsafeMutableRawPointer(
                protobuf_c_message_unpack(
                    descriptor, &allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)))
        }
    }
}

internal import CProtobufC

extension ProtobufDescriptor {
    /// The memory that a message read from `byteCount` foreign bytes, protobuf or JSON, may take: in proportion to
    /// them, so that a small input can't be made large, and never above a fixed bound.
    static func memoryBudget(forInput byteCount: Int) -> Int {
        let proportional = byteCount.multipliedReportingOverflow(by: 32)
        let bound = 64 * 1024 * 1024
        return proportional.overflow ? bound : min(64 * 1024 + proportional.partialValue, bound)
    }

    /// Refuses what protobuf-c must not be given: it recurses without limit, merges duplicate submessages in quadratic
    /// time, and takes a `bool` of any wire type.
    ///
    /// - Throws: ``ProtobufError`` when the bytes aren't this message.
    func scan(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        var scan = WireScan(byteCount: bytes.count)
        try scan.message(bytes, message, depth: 1)
        if scan.overwrites { try checkEveryText(bytes) }
    }

    /// Refuses a text that isn't UTF-8 also where a later value takes its place: every implementation does, and what one
    /// reads no other should refuse.
    ///
    /// - Parameter bytes: an encoding that was scanned, so that its depth is bounded.
    private func checkEveryText(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let (number, wireType) = try reader.tag()
            guard wireType == .lengthPrefixed, let index = message.pointee.index(ofField: number) else {
                try reader.skip(wireType)
                continue
            }
            let value = try reader.lengthPrefixed()
            do throws(ProtobufError) {
                if let submessage = submessage(number) {
                    try submessage.checkEveryText(value)
                } else if isText(number), String(utf8: value.bindMemory(to: UInt8.self)) == nil {
                    throw ProtobufError(reason: Reason.invalidUTF8)
                }
            } catch {
                throw error.inside(String(cString: message.pointee.fields[index].name))
            }
        }
    }

    /// Scans, unpacks into this thread's arena and lends the C struct.
    ///
    /// - Throws: ``ProtobufError`` when the bytes aren't this message, or would take too much memory.
    package func withUnpacked<Result>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawPointer) throws(ProtobufError) -> Result
    ) throws(ProtobufError) -> Result {
        try scan(bytes)
        let arena = Arena.borrow(budget: Self.memoryBudget(forInput: bytes.count))
        defer { arena.giveBack() }
        return try body(try arena.unpack(bytes, self))
    }
}

extension Arena {
    /// The C struct, in this arena, of bytes that have been scanned.
    ///
    /// - Throws: ``ProtobufError`` when the budget is spent.
    func unpack(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: ProtobufDescriptor
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        var allocator = ProtobufCAllocator(
            alloc: { arena, size in
                guard let arena else { return nil }
                return Unmanaged<Arena>.fromOpaque(arena)._withUnsafeGuaranteedRef { $0.allocateWithinBudget(size) }
            },
            free: { _, _ in },  // the arena is given back whole
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
        let message = withExtendedLifetime(self) {
            protobuf_c_message_unpack(
                descriptor.message, &allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        guard let message else { throw ProtobufError(reason: Reason.tooLarge, breaksEncoding: true) }
        return UnsafeMutableRawPointer(message)
    }
}

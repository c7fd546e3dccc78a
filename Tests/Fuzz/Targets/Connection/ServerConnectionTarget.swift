/// A server's connection. The first byte chooses between frames that the input composes and bytes as they are, and
/// between the usual bounds and narrow ones.
///
/// Whatever comes, what is written is HTTP/2 and no more than in proportion to what came; memory is bounded; and when
/// the connection is closed, every call has ended, every interceptor has heard so, and everything is released.
enum ServerConnectionTarget {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        let shape = input.byte()
        let heap = HeapInUse.bytes
        let server = try ServerUnderAttack(isNarrow: shape & 0x2 != 0)
        if shape & 0x4 == 0 {
            try server.wire.receive(FrameWriter.preface + FrameWriter.frame(.settings, []))
        }
        if shape & 0x1 == 0 {
            try composed(&input, server, heap)
        } else {
            try raw(&input, server, heap)
        }
        try server.end()
    }

    /// Bytes as they are, in reads of the lengths that the first of them say.
    private static func raw(
        _ input: inout FuzzInput, _ server: ServerUnderAttack, _ heap: Int?
    ) throws(FuzzFailure) {
        let lengths = input.take(4).map { Int($0) + 1 }
        var turn = 0
        while !input.isEmpty, server.wire.isOpen, !lengths.isEmpty {
            try server.wire.receive(input.take(lengths[turn % lengths.count]))
            turn += 1
            try server.check(heapBefore: heap)
        }
    }

    private static func composed(
        _ input: inout FuzzInput, _ server: ServerUnderAttack, _ heap: Int?
    ) throws(FuzzFailure) {
        var peer = HostilePeer(side: .client, paths: ServedMethods.paths)
        while !input.isEmpty, server.wire.isOpen {
            switch input.choice(16) {
            case 0: try server.wire.settle()
            case 1: try server.openGate()
            case 2: try server.wire.setReading(input.flag())
            case 3: try server.shutDown(input.choice(8))
            case 4: try server.wire.leap()
            case 5:
                let bytes = peer.next(&input)
                let middle = input.choice(max(bytes.count, 1))
                try server.wire.receive(Array(bytes[..<middle]))
                try server.wire.receive(Array(bytes[middle...]))
            case 6:
                var bytes: [UInt8] = []
                for _ in 0..<2 + input.choice(6) { bytes += peer.next(&input) }
                try server.wire.receive(bytes)
            default: try server.wire.receive(peer.next(&input))
            }
            try server.check(heapBefore: heap)
        }
    }
}

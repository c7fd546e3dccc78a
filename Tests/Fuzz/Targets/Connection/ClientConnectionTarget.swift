/// A client's connection. The first byte chooses between frames that the input composes and bytes as they are.
///
/// Whatever the server says, what is written is HTTP/2 and bounded; memory is bounded; and when the connection is
/// closed, every call has had its one outcome, and everything is released.
enum ClientConnectionTarget {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        let shape = input.byte()
        let heap = HeapInUse.bytes
        let client = try ClientUnderAttack()
        if shape & 0x4 == 0 { try client.wire.receive(FrameWriter.frame(.settings, [])) }
        if shape & 0x1 == 0 {
            try composed(&input, client, heap)
        } else {
            try raw(&input, client, heap)
        }
        try client.end()
    }

    private static func raw(
        _ input: inout FuzzInput, _ client: ClientUnderAttack, _ heap: Int?
    ) throws(FuzzFailure) {
        for _ in 0..<input.choice(4) { try client.call(&input) }
        let lengths = input.take(4).map { Int($0) + 1 }
        var turn = 0
        while !input.isEmpty, client.wire.isOpen, !lengths.isEmpty {
            try client.wire.receive(input.take(lengths[turn % lengths.count]))
            turn += 1
            try client.check(heapBefore: heap)
        }
    }

    private static func composed(
        _ input: inout FuzzInput, _ client: ClientUnderAttack, _ heap: Int?
    ) throws(FuzzFailure) {
        var peer = HostilePeer(side: .server, paths: [])
        while !input.isEmpty, client.wire.isOpen {
            switch input.choice(16) {
            case 0: try client.wire.settle()
            case 1, 2, 3:
                // The streams that there are, as a server knows them.
                peer.streams.append(UInt32(peer.streams.count * 2 + 1))
                try client.call(&input)
            case 4: try client.cancel(&input)
            case 5: try client.wire.setReading(input.flag())
            case 6: try client.read(&input)
            case 7:
                let bytes = peer.next(&input)
                let middle = input.choice(max(bytes.count, 1))
                try client.wire.receive(Array(bytes[..<middle]))
                try client.wire.receive(Array(bytes[middle...]))
            default: try client.wire.receive(peer.next(&input))
            }
            try client.check(heapBefore: heap)
        }
    }
}

internal import CNghttp2

/// Header fields that never change, laid out for nghttp2 once and sent without a copy.
struct StaticHeaders: @unchecked Sendable {
    // Unchecked: written in the initialiser and never again, never freed.
    let fields: UnsafeMutablePointer<nghttp2_nv>
    let count: Int
    /// Names and values as HTTP/2 counts them.
    let listSize: Int

    init(_ pairs: [(name: StaticString, value: StaticString)]) {
        count = pairs.count
        listSize = pairs.reduce(0) {
            $0 + $1.name.utf8CodeUnitCount + $1.value.utf8CodeUnitCount + HeaderBlock.pairOverhead
        }
        fields = .allocate(capacity: pairs.count)
        // nghttp2 takes pointers to mutable bytes but, told not to copy, only reads them.
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        for (index, pair) in pairs.enumerated() {
            (fields + index).initialize(
                to: nghttp2_nv(
                    name: UnsafeMutablePointer(mutating: pair.name.utf8Start),
                    value: UnsafeMutablePointer(mutating: pair.value.utf8Start),
                    namelen: pair.name.utf8CodeUnitCount, valuelen: pair.value.utf8CodeUnitCount, flags: flags))
        }
    }

    /// What precedes every response message.
    static let response = StaticHeaders([(":status", "200"), ("content-type", "application/grpc")])
    /// The trailers of a call that went well.
    static let statusOK = StaticHeaders([("grpc-status", "0")])
}

/// Lays metadata out for nghttp2, which copies it.
enum HeaderBlock {
    /// What HTTP/2 counts for each pair beside its bytes (RFC 9113, 6.5.2).
    static let pairOverhead = 32
    /// The longest block that is sent, counted like that. nghttp2 gives up a block of more than so many bytes when it is
    /// about to encode it, and then nobody hears why.
    static let longest = 64 * 1024

    /// Whether the four blocks together are longer than that.
    static func isTooLong(
        _ prefix: StaticHeaders, _ first: Metadata, _ middle: StaticHeaders, _ second: Metadata
    ) -> Bool {
        let fixed = prefix.listSize + middle.listSize
        // A stored pair has at least a quarter of the bytes it counts for: nearly always this look is enough.
        guard fixed + 4 * (first.storage.count + second.storage.count) > longest else { return false }
        return fixed + first.listSize + second.listSize > longest
    }

    /// Calls `body` with the fields of the four blocks, one after the other, valid during the call.
    static func withFields<Result>(
        prefix: StaticHeaders?, _ first: Metadata, _ middle: StaticHeaders? = nil, _ second: Metadata = Metadata(),
        _ body: (UnsafeMutablePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        let count = (prefix?.count ?? 0) + first.count + (middle?.count ?? 0) + second.count
        return withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: max(count, 1)) { fields in
            // The storages are flat, so their pointers are good as long as they are pinned here.
            first.storage.withUnsafeBytes { _ in
                second.storage.withUnsafeBytes { _ in
                    var index = copy(prefix, to: fields, from: 0)
                    index = write(first, to: fields, from: index)
                    index = copy(middle, to: fields, from: index)
                    _ = write(second, to: fields, from: index)
                    return body(fields.baseAddress, count)
                }
            }
        }
    }

    private static func copy(
        _ block: StaticHeaders?, to fields: UnsafeMutableBufferPointer<nghttp2_nv>, from: Int
    ) -> Int {
        guard let block, let base = fields.baseAddress else { return from }
        (base + from).initialize(from: block.fields, count: block.count)
        return from + block.count
    }

    private static func write(_ block: Metadata, to fields: UnsafeMutableBufferPointer<nghttp2_nv>, from: Int) -> Int {
        var index = from
        block.forEachPair { name, value in
            fields.initializeElement(
                at: index,
                to: nghttp2_nv(
                    name: mutableBytes(name), value: mutableBytes(value), namelen: name.count, valuelen: value.count,
                    flags: 0))
            index += 1
            return true
        }
        return index
    }

    private static func mutableBytes(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: UInt8.self)
    }
}

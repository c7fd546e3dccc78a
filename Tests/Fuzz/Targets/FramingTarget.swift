import NIOCore
import ProtobufC

@testable import RPC

/// What gRPC puts into HTTP/2. The first byte chooses which of its readers and writers.
enum FramingTarget {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        switch input.choice(9) {
        case 0: try messages(&input)
        case 1: try timeout(input.rest())
        case 2: try percentEncoding(input.rest())
        case 3: try base64(input.rest())
        case 4: try metadata(&input)
        case 5: try requestHeaders(&input)
        case 6: try responseHeaders(&input)
        case 7: try statuses(&input)
        default: try compression(&input)
        }
    }
}

// MARK: - Messages

extension FramingTarget {
    private struct Deframed: Equatable {
        var messages: [[UInt8]] = []
        var compressed: [Bool] = []
        var error: RPCError?
        var partialCount = 0
    }

    /// However the bytes are cut into frames, they are the same messages, and those that the format says they are.
    private static func messages(_ input: inout FuzzInput) throws(FuzzFailure) {
        let limit = input.number16()
        let allowsCompressed = input.flag()
        let cuts = input.counted()
        let bytes = input.rest()
        let whole = deframe([bytes], limit, allowsCompressed)
        let pieces = deframe(cut(bytes, cuts), limit, allowsCompressed)
        try require(whole == pieces, "messages depend on how they are cut into frames")
        let expected = expectedMessages(bytes, limit, allowsCompressed)
        try require(whole.messages == expected.messages, "other messages than the format says")
        try require((whole.error == nil) == (expected.error == nil), "accepts or refuses other than the format says")
        if whole.error == nil {
            try require(whole.partialCount == expected.partialCount, "miscounts what is incomplete")
        }
    }

    private static func deframe(_ pieces: [[UInt8]], _ limit: Int, _ allowsCompressed: Bool) -> Deframed {
        var deframed = Deframed()
        var deframer = MessageDeframer(limit: limit, noun: "request")
        deframer.allowsCompressed = allowsCompressed
        do throws(RPCError) {
            for piece in pieces {
                try piece.withUnsafeBufferPointer { bytes throws(RPCError) in
                    try deframer.append(UnsafeRawBufferPointer(bytes)) { message throws(RPCError) in
                        deframed.messages.append(Array(message.bytes.readableBytesView))
                        deframed.compressed.append(message.isCompressed)
                    }
                }
            }
            deframed.partialCount = deframer.partialCount
        } catch {
            deframed.error = error
        }
        return deframed
    }

    private static func cut(_ bytes: [UInt8], _ lengths: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var left = bytes[...]
        for length in lengths {
            pieces.append(Array(left.prefix(Int(length))))
            left = left.dropFirst(Int(length))
        }
        return pieces + [Array(left)]
    }

    /// The format read in the plainest way (gRPC over HTTP/2, "Length-Prefixed-Message").
    private static func expectedMessages(_ bytes: [UInt8], _ limit: Int, _ allowsCompressed: Bool) -> Deframed {
        var expected = Deframed()
        var left = bytes[...]
        while left.count >= 5 {
            let prefix = Array(left.prefix(5))
            let length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
            let isCompressed = prefix[0] == 1
            // What is compressed may be a little longer than what it stands for.
            let longest = isCompressed ? limit + limit / 1000 + 64 : limit
            guard prefix[0] == 0 || isCompressed && allowsCompressed, length <= longest else {
                expected.error = RPCError(.internal, "")
                return expected
            }
            guard left.count >= 5 + length else { break }
            expected.messages.append(Array(left.dropFirst(5).prefix(length)))
            expected.compressed.append(isCompressed)
            left = left.dropFirst(5 + length)
        }
        expected.partialCount = left.count
        return expected
    }

    /// What is compressed is the same afterwards, and nothing inflates beyond its limit.
    private static func compression(_ input: inout FuzzInput) throws(FuzzFailure) {
        let limit = input.number16()
        let bytes = ByteBuffer(bytes: input.rest())
        let foreign = outcome { () throws(RPCError) in
            try InboundMessage(bytes: bytes, isCompressed: true).decoded(limit: limit, noun: "request")
        }
        if case .success(let inflated) = foreign {
            try require(inflated.readableBytes <= limit, "inflates beyond the limit")
        }
        let framed = MessageFraming.compressed(MessageFraming.framed(bytes))
        try require(framed.readableBytes <= bytes.readableBytes + 5, "compressing makes it longer")
        let found = deframe([Array(framed.readableBytesView)], bytes.readableBytes, true)
        try require(found.messages.count == 1, "a compressed message is not one message")
        let message = InboundMessage(bytes: ByteBuffer(bytes: found.messages[0]), isCompressed: found.compressed[0])
        let back = outcome { () throws(RPCError) in
            try message.decoded(limit: bytes.readableBytes, noun: "request")
        }
        try require(back == .success(bytes), "a compressed message is another afterwards")
    }
}

// MARK: - Values

extension FramingTarget {
    /// A timeout that is read and written again is no shorter, and longer by no more than a unit of what is written.
    private static func timeout(_ text: [UInt8]) throws(FuzzFailure) {
        guard let parsed = text.withUnsafeBytes({ Timeout.parse($0) }) else { return }
        try require(parsed >= .zero, "a negative timeout")
        let written = Timeout.format(parsed)
        guard let again = Array(written.utf8).withUnsafeBytes({ Timeout.parse($0) }) else {
            throw FuzzFailure(description: "the timeout \(written) is not read")
        }
        let longest: Duration = .seconds(99_999_999 * 60)
        try require(again >= min(parsed, longest), "the timeout \(written) is too short")
        try require(again - parsed <= max(parsed / 1000, .microseconds(1)), "the timeout \(written) is too long")
    }

    private static func percentEncoding(_ bytes: [UInt8]) throws(FuzzFailure) {
        let text = bytes.withUnsafeBytes { PercentEncoding.decode($0) }
        let encoded = PercentEncoding.encode(text)
        try require(encoded.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "an encoded message can't be in a header")
        let space = UInt8(ascii: " ")
        try require(encoded.utf8.first != space && encoded.utf8.last != space, "a message loses a space at an end")
        let again = Array(encoded.utf8).withUnsafeBytes { PercentEncoding.decode($0) }
        try require(again == text, "a message is another after it was encoded")
    }

    /// Two texts never stand for the same bytes, apart from the two alphabets and the padding.
    private static func base64(_ text: [UInt8]) throws(FuzzFailure) {
        let encoded = Base64.unpadded(text)
        try require(Base64.decode(Array(encoded.utf8)) == text, "bytes are others after base64")
        guard let decoded = Base64.decode(text) else { return }
        let canonical = text.filter { $0 != UInt8(ascii: "=") }.map { digit -> UInt8 in
            switch digit {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: digit
            }
        }
        try require(Array(Base64.unpadded(decoded).utf8) == canonical, "one value has two texts")
    }
}

// MARK: - Headers

extension FramingTarget {
    /// The pairs are those of a plain list that the same was done to.
    private static func metadata(_ input: inout FuzzInput) throws(FuzzFailure) {
        var metadata = Metadata()
        var model: [(name: String, value: String)] = []
        while !input.isEmpty {
            let name = String(decoding: input.counted().filter { $0 < 0x80 }, as: UTF8.self)
            let lowered = name.lowercased()
            switch input.choice(4) {
            case 0:
                let value = printable(input.counted())
                metadata.add(name, value)
                model.append((lowered, value))
            case 1:
                let value = input.counted()
                metadata.addBinary(name, value)
                let suffixed = lowered.hasSuffix("-bin") ? lowered : lowered + "-bin"
                model.append((suffixed, Base64.unpadded(value)))
                let first = model.first { $0.name == suffixed }.map { Array($0.value.utf8) }
                let expected = first.flatMap { Base64.decode($0.prefix { $0 != UInt8(ascii: ",") }) }
                try require(metadata[firstBinary: suffixed] == expected, "a binary value is another")
            case 2:
                let value = printable(input.counted())
                metadata.replace(name, value)
                model = model.filter { $0.name != lowered } + [(lowered, value)]
            default:
                metadata.remove(name)
                model.removeAll { $0.name == lowered }
            }
            try require(metadata[first: name] == model.first { $0.name == lowered }?.value, "the first is another")
        }
        try require(metadata.pairs.elementsEqual(model, by: ==), "the pairs are others")
        try require(metadata.count == model.count, "the pairs are miscounted")
    }

    private static func printable(_ bytes: [UInt8]) -> String {
        // Spaces at the ends would be taken off.
        String(decoding: bytes.map { 0x21 + $0 % 0x5E }, as: UTF8.self)
    }

    private static let requestNames = [
        ":method", ":path", ":scheme", ":authority", "content-type", "content-length", "te", "user-agent",
        "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "grpc-message-type", "accept-encoding",
    ]
    private static let responseNames = [
        ":status", "content-type", "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding",
    ]

    /// A name of the list, or one of the input's own.
    private static func name(_ input: inout FuzzInput, from names: [String]) -> [UInt8] {
        let index = input.choice(names.count + 1)
        return index < names.count ? Array(names[index].utf8) : input.counted()
    }

    private static func requestHeaders(_ input: inout FuzzInput) throws(FuzzFailure) {
        var headers = RequestHeaders()
        while !input.isEmpty {
            let name = name(&input, from: requestNames)
            let value = input.counted()
            headers.size += name.count + value.count + 32
            let isKept = name.withUnsafeBytes { name in
                value.withUnsafeBytes { value in
                    guard case .metadata(let kept) = headers.take(name: name, value: value) else { return true }
                    return name.isMetadataName && kept.isPrintable && !kept.isPadded && !value.breaksField
                }
            }
            try require(isKept, "metadata that can't be one")
        }
        let isWhole = headers.completed() == nil
        try require(isWhole == (headers.fault == nil), "a fault that is forgotten")
        let refusal = headers.refusal(limit: 4096)
        try require(headers.size <= 4096 || refusal != nil, "headers over the limit are not refused")
        if let timeout = headers.timeout { try require(timeout >= .zero, "a negative timeout") }
    }

    private static func responseHeaders(_ input: inout FuzzInput) throws(FuzzFailure) {
        var headers = ResponseHeaders()
        while !input.isEmpty {
            let name = name(&input, from: responseNames)
            let value = input.counted()
            name.withUnsafeBytes { name in value.withUnsafeBytes { _ = headers.take(name: name, value: $0) } }
        }
        _ = headers.refusal
        if let failure = headers.failure { try sameAfterTravel(failure) }
        _ = headers.forgetInformational()
        _ = headers.failure
    }

    /// A status with any details is read; one of our own arrives as it was sent.
    private static func statuses(_ input: inout FuzzInput) throws(FuzzFailure) {
        if input.flag() {
            let code = input.choice(20)
            let message = String(decoding: input.counted(), as: UTF8.self)
            return try sameAfterTravel(RPCError(status: code, message: message, details: input.rest()))
        }
        var error = RPCError(input.pick(RPCError.Code.allCases), text(&input), reason: text(&input))
        while !input.isEmpty {
            error.fields.append(.init(field: text(&input), reason: text(&input)))
        }
        try sameAfterTravel(error)
    }

    private static func text(_ input: inout FuzzInput) -> String {
        // No message of protobuf here holds a NUL.
        String(decoding: input.counted().filter { $0 != 0 }, as: UTF8.self)
    }

    private static func sameAfterTravel(_ error: RPCError) throws(FuzzFailure) {
        var headers = ResponseHeaders()
        error.trailers.forEachPair { name, value in
            _ = headers.take(name: name, value: value)
            return true
        }
        try require(headers.failure == error, "a status is another when it arrives")
    }
}

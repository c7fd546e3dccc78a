internal import Crypto
internal import Foundation

/// What a key is found by: the SHA-256 of its name, so that a slot says nothing of whose it is.
public struct KeyName: Sendable, Hashable {
    static let byteCount = 32

    // Four numbers rather than an array: there may be millions of them.
    private let words: SIMD4<UInt64>

    public init(_ name: String) {
        self.init(digest: Array(SHA256.hash(data: Data(name.utf8))))
    }

    /// - Parameter digest: ``byteCount`` bytes.
    init(digest: some Sequence<UInt8>) {
        let bytes = Array(digest)
        words = SIMD4(
            UInt64(bigEndianBytes: bytes[0..<8]), UInt64(bigEndianBytes: bytes[8..<16]),
            UInt64(bigEndianBytes: bytes[16..<24]), UInt64(bigEndianBytes: bytes[24..<32]))
    }

    /// What the slots store of it: 32 bytes.
    public var digest: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for index in 0..<4 { bytes.append(bigEndian: words[index]) }
        return bytes
    }
}

/// The bytes of one slot.
///
/// | offset | bytes | |
/// | --- | --- | --- |
/// | 0 | 4 | "SLT1" |
/// | 4 | 4 | number of the wrapping key |
/// | 8 | 8 | generation: of two copies the higher one counts |
/// | 16 | 32 | digest of the name |
/// | 48 | 12 | nonce |
/// | 60 | 48 | the key under AES-256-GCM, with its tag; the name and the slot's place are authenticated |
/// | 108 | 20 | the beginning of the SHA-256 of what is before: tells a torn write |
///
/// Numbers are big-endian. A free slot is zeros. One whose key was destroyed holds "SLT0" and the name's digest, all else
/// zeros but the checksum, until somebody has noted that. A slot divides a sector of 512 bytes, so that no write of one touches
/// a sector that holds half of another.
struct SlotRecord: Sendable, Equatable {
    static let byteCount = 128
    static let empty = [UInt8](repeating: 0, count: byteCount)

    private static let magic = Array("SLT1".utf8)
    private static let destroyedMagic = Array("SLT0".utf8)
    private static let sealedCount = Secret.byteCount + 16
    private static let bodyCount = 108

    var wrappingKey: UInt32
    var generation: UInt64
    var name: KeyName
    var nonce: [UInt8]
    var sealed: [UInt8]

    enum Reading: Equatable {
        case free
        case used(SlotRecord)
        /// A key of that name was overwritten here: see ``mark(of:)``.
        case destroyed(KeyName)
        /// Neither: a write was torn, or the medium has failed.
        case damaged
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
        let bytes = Array(bytes)
        if bytes.allSatisfy({ $0 == 0 }) { return .free }
        guard bytes.count == byteCount, checksum(bytes[..<bodyCount]).elementsEqual(bytes[bodyCount...])
        else { return .damaged }
        if bytes.starts(with: destroyedMagic) { return .destroyed(KeyName(digest: bytes[16..<48])) }
        guard bytes.starts(with: magic) else { return .damaged }
        return .used(
            SlotRecord(
                wrappingKey: UInt32(bigEndianBytes: bytes[4..<8]), generation: UInt64(bigEndianBytes: bytes[8..<16]),
                name: KeyName(digest: bytes[16..<48]), nonce: Array(bytes[48..<60]),
                sealed: Array(bytes[60..<108])))
    }

    /// What a key is overwritten with: that there was one, and is no longer. It outlives a crash, so that nobody has to
    /// guess afterwards whether a key that is missing was destroyed or was never here.
    static func mark(of name: KeyName) -> [UInt8] {
        var bytes = destroyedMagic + [UInt8](repeating: 0, count: 12) + name.digest
        bytes += [UInt8](repeating: 0, count: bodyCount - bytes.count)
        return bytes + checksum(bytes[...])
    }

    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(bigEndian: wrappingKey)
        bytes.append(bigEndian: generation)
        bytes += name.digest + nonce + sealed
        bytes += Self.checksum(bytes[...])
        return bytes
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        Array(SHA256.hash(data: bytes)).prefix(byteCount - bodyCount)
    }
}

extension SlotRecord {
    /// Wraps a key for one place.
    init(
        wrapping key: Secret, named name: KeyName, at place: Int, generation: UInt64, under wrapping: WrappingKey
    ) throws(KeySlotError) {
        let authenticated = Self.authenticated(name: name, place: place, wrappingKey: wrapping.number)
        do {
            let box = try key.withUnsafeBytes { bytes in
                try AES.GCM.seal(bytes, using: wrapping.symmetricKey, authenticating: authenticated)
            }
            self.init(
                wrappingKey: wrapping.number, generation: generation, name: name, nonce: Array(box.nonce),
                sealed: Array(box.ciphertext) + Array(box.tag))
        } catch {
            throw KeySlotError(.malformed, "a key can't be wrapped")
        }
    }

    /// - Throws: ``KeySlotError/Code/malformed`` if the record is not of this place, or not wrapped under this key.
    func unwrapped(at place: Int, under wrapping: WrappingKey, in memory: SecretMemory) throws(KeySlotError) -> Secret {
        let authenticated = Self.authenticated(name: name, place: place, wrappingKey: wrappingKey)
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: nonce), ciphertext: sealed.prefix(Secret.byteCount),
                tag: sealed.suffix(16)),
            var opened = try? AES.GCM.open(box, using: wrapping.symmetricKey, authenticating: authenticated)
        else { throw KeySlotError(.malformed, "a slot does not open with the key that it names") }
        defer { opened.wipe() }
        return try memory.secret { bytes in bytes.copyBytes(from: opened) }
    }

    private static func authenticated(name: KeyName, place: Int, wrappingKey: UInt32) -> [UInt8] {
        var bytes = Array("samtal key slot".utf8)
        bytes.append(bigEndian: UInt64(place))
        bytes.append(bigEndian: wrappingKey)
        return bytes + name.digest
    }
}

extension FixedWidthInteger {
    init(bigEndianBytes bytes: some Sequence<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | Self($1) }
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

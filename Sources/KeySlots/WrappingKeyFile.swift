internal import Crypto
public import Foundation

/// A key-encryption key: slots are wrapped under it.
struct WrappingKey: Sendable {
    /// Names it in slots. Drawn at random, so that a file that was made anew is not taken for the one that was lost.
    var number: UInt32
    /// Of two keys the one with the higher order is in use.
    var order: UInt32
    var createTime: Date
    var secret: Secret

    var symmetricKey: SymmetricKey { secret.withUnsafeBytes { SymmetricKey(data: $0) } }
}

/// What the wrapping keys themselves are sealed under, and that is kept elsewhere: a systemd credential, for example
/// (systemd-creds(1)), which the host's key or its TPM protects.
public struct OuterKey: Sendable {
    let secret: Secret

    /// - Throws: ``KeySlotError/Code/malformed`` unless there are exactly 32 bytes.
    public init(bytes: some ContiguousBytes, in memory: SecretMemory) throws(KeySlotError) {
        let count = bytes.withUnsafeBytes { $0.count }
        guard count == Secret.byteCount else {
            throw KeySlotError(.malformed, "the key for the wrapping keys is not \(Secret.byteCount) bytes long")
        }
        secret = try memory.secret { target in bytes.withUnsafeBytes { target.copyBytes(from: $0) } }
    }

    var symmetricKey: SymmetricKey { secret.withUnsafeBytes { SymmetricKey(data: $0) } }
}

/// The file of the wrapping keys: two blocks, so that a new one can live beside the old while slots are wrapped anew.
///
/// A block that is damaged is left as it is, until it is certain that no slot needs it: then it is a new key whose write
/// was torn.
///
/// A block holds "KEK2", the form (0: the key as it is, 1: sealed under the outer key), the number (4 bytes), the order
/// (4 bytes), the time of creation (milliseconds since 1970, 8 bytes), then the key (32 bytes) or nonce, ciphertext and tag (60 bytes), and
/// the beginning of the SHA-256 of what is before (20 bytes). A free block is zeros.
final class WrappingKeyFile {
    private static let magic = Array("KEK2".utf8)
    private static let headCount = 4 + 1 + 4 + 4 + 8
    private static let checksumCount = 20
    private static let blocks = 2

    private let file: PlacedFile
    private let outer: OuterKey?
    private let memory: SecretMemory
    /// By block.
    private(set) var keys: [WrappingKey?]
    /// Blocks that are neither whole nor free.
    private var damagedBlocks: Set<Int> = []

    /// Creates the file with its first key, or reads the one that is there.
    /// - Parameter mayCreate: false if slots are there, which another file's keys have wrapped.
    init(
        path: String, outer: OuterKey?, memory: SecretMemory, mayCreate: Bool, now: Date
    ) throws(KeySlotError) {
        self.outer = outer
        self.memory = memory
        keys = [nil, nil]
        if access(path, F_OK) != 0 {
            guard mayCreate else {
                throw KeySlotError(.wrappingKeyMissing, "there are key slots, but no file of wrapping keys")
            }
            let temporary = path + ".new"
            unlink(temporary)
            let new = try PlacedFile(path: temporary, isNew: true)
            try new.write([UInt8](repeating: 0, count: Self.blocks * PlacedFile.blockSize), at: 0)
            let first = WrappingKey(
                number: .random(in: 1...UInt32.max), order: 1, createTime: now, secret: try memory.randomSecret())
            try new.write(try Self.block(of: first, outer: outer), at: 0)
            try new.synchronise()
            guard rename(temporary, path) == 0 else {
                throw KeySlotError(.inputOutput, "the file of the wrapping keys can't be named", errno: errno)
            }
            try PlacedFile.synchroniseFolder((path as NSString).deletingLastPathComponent)
        }
        file = try PlacedFile(path: path)
        for block in 0..<Self.blocks { keys[block] = try readBlock(block) }
        guard keys.contains(where: { $0 != nil }) else {
            throw KeySlotError(
                damagedBlocks.isEmpty ? .wrappingKeyMissing : .malformed,
                damagedBlocks.isEmpty
                    ? "the file of the wrapping keys holds none" : "the file of the wrapping keys is damaged")
        }
    }

    /// The key that new slots are wrapped under.
    var current: WrappingKey {
        // There is one: the initialiser has seen to it, and the last is never destroyed.
        keys.compactMap { $0 }.max { $0.order < $1.order }!
    }

    func key(_ number: UInt32) -> WrappingKey? { keys.compactMap { $0 }.first { $0.number == number } }

    /// Keys that were to be replaced, and are not destroyed yet.
    var replaced: [WrappingKey] { keys.compactMap { $0 }.filter { $0.number != current.number } }

    /// Writes the next key beside the one there is. It is current from now on.
    func add(now: Date) throws(KeySlotError) {
        guard let block = keys.firstIndex(where: { $0 == nil }) else { return }  // one was added and not finished with
        let old = current
        let next = WrappingKey(
            number: .random(in: 1...UInt32.max, except: old.number), order: old.order + 1, createTime: now,
            secret: try memory.randomSecret())
        try file.write(try Self.block(of: next, outer: outer), at: block * PlacedFile.blockSize)
        try file.synchronise()
        keys[block] = next
        isSealingDue = false
    }

    /// Clears damaged blocks. Call it when every slot was found to be wrapped under a key that is whole.
    func clearDamaged() throws(KeySlotError) {
        for block in damagedBlocks {
            try file.write([UInt8](repeating: 0, count: PlacedFile.blockSize), at: block * PlacedFile.blockSize)
            try file.synchronise()
        }
        damagedBlocks = []
    }

    /// Whether a key lies in the file as it is, although there is a key to seal it under.
    private(set) var isSealingDue = false

    /// What a file that holds this key alone has in it.
    func contents(for key: WrappingKey) throws(KeySlotError) -> [UInt8] {
        let block = try Self.block(of: key, outer: outer)
        return block + [UInt8](repeating: 0, count: Self.blocks * PlacedFile.blockSize - block.count)
    }

    /// Overwrites every key but the current one, and reads back that they are gone.
    func destroyReplaced() throws(KeySlotError) {
        for key in replaced {
            guard let block = keys.firstIndex(where: { $0?.number == key.number }) else { continue }
            let zeros = [UInt8](repeating: 0, count: PlacedFile.blockSize)
            try file.write(zeros, at: block * PlacedFile.blockSize)
            try file.synchronise()
            let seen = try file.readBack(at: block * PlacedFile.blockSize, count: PlacedFile.blockSize)
            guard seen.bytes == zeros else {
                throw KeySlotError(.notOverwritten, "a replaced wrapping key does not read back as overwritten")
            }
            keys[block] = nil
        }
    }

    private static func block(of key: WrappingKey, outer: OuterKey?) throws(KeySlotError) -> [UInt8] {
        var bytes = magic + [outer == nil ? 0 : 1]
        bytes.append(bigEndian: key.number)
        bytes.append(bigEndian: key.order)
        bytes.append(bigEndian: UInt64(max(0, key.createTime.timeIntervalSince1970 * 1000)))
        let head = bytes
        if let outer {
            do {
                let box = try key.secret.withUnsafeBytes {
                    try AES.GCM.seal($0, using: outer.symmetricKey, authenticating: head)
                }
                bytes += Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
            } catch {
                throw KeySlotError(.malformed, "a wrapping key can't be sealed")
            }
        } else {
            key.secret.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        bytes += Array(SHA256.hash(data: bytes)).prefix(checksumCount)
        return bytes
    }

    /// nil for a free block, and for a damaged one.
    private func readBlock(_ block: Int) throws(KeySlotError) -> WrappingKey? {
        var bytes = try file.read(at: block * PlacedFile.blockSize, count: PlacedFile.blockSize)
        defer { bytes.wipe() }
        if bytes.allSatisfy({ $0 == 0 }) { return nil }
        let keyCount = bytes[4] == 0 ? Secret.byteCount : 12 + Secret.byteCount + 16
        let bodyCount = Self.headCount + keyCount
        guard bytes.starts(with: Self.magic), bytes[4] <= 1,
            Array(SHA256.hash(data: bytes[..<bodyCount])).prefix(Self.checksumCount)
                .elementsEqual(bytes[bodyCount..<(bodyCount + Self.checksumCount)])
        else {
            damagedBlocks.insert(block)
            return nil
        }
        if outer != nil, bytes[4] == 0 { isSealingDue = true }
        let number = UInt32(bigEndianBytes: bytes[5..<9])
        let order = UInt32(bigEndianBytes: bytes[9..<13])
        let created = Date(timeIntervalSince1970: Double(UInt64(bigEndianBytes: bytes[13..<21])) / 1000)
        let secret = try readKey(bytes[Self.headCount..<bodyCount], head: Array(bytes[..<Self.headCount]))
        return WrappingKey(number: number, order: order, createTime: created, secret: secret)
    }

    private func readKey(_ bytes: ArraySlice<UInt8>, head: [UInt8]) throws(KeySlotError) -> Secret {
        guard head[4] == 1 else {
            return try memory.secret { target in target.copyBytes(from: bytes) }
        }
        guard let outer else {
            throw KeySlotError(
                .wrappingKeyMissing, "the wrapping keys are sealed: the credential that opens them was not given")
        }
        guard let box = try? AES.GCM.SealedBox(combined: bytes),
            var opened = try? AES.GCM.open(box, using: outer.symmetricKey, authenticating: head)
        else {
            throw KeySlotError(.wrappingKeyMissing, "the wrapping keys do not open with the credential that was given")
        }
        defer { opened.wipe() }
        return try memory.secret { target in target.copyBytes(from: opened) }
    }
}

extension UInt32 {
    fileprivate static func random(in range: ClosedRange<UInt32>, except taken: UInt32) -> UInt32 {
        var number = random(in: range)
        while number == taken { number = random(in: range) }
        return number
    }
}

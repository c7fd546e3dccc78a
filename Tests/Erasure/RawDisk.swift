import ChatCore
import Crypto
import Foundation
import Privacy

@testable import KeySlots

/// memmem(3), which Swift's Glibc does not have.
@_silgen_name("memmem")
private func memmem(_ bytes: UnsafeRawPointer, _ count: Int, _ pattern: UnsafeRawPointer, _ length: Int)
    -> UnsafeRawPointer?

/// Everything that was ever written to a disk, searched with knowledge of the formats: every key that is found anywhere,
/// in a file or in a block that is free, is tried.
struct RawDisk {
    let bytes: Data
    private let memory: SecretMemory

    init(_ bytes: Data) throws {
        self.bytes = bytes
        memory = try SecretMemory(capacity: 100_000)
    }

    func contains(_ pattern: some ContiguousBytes) -> Bool {
        !places(of: pattern, atMost: 1).isEmpty
    }

    /// Where a pattern lies.
    func places(of pattern: some ContiguousBytes, atMost most: Int = .max) -> [Int] {
        bytes.withUnsafeBytes { all in
            pattern.withUnsafeBytes { pattern in
                var places: [Int] = []
                var from = 0
                while places.count < most,
                    let found = memmem(
                        all.baseAddress! + from, all.count - from, pattern.baseAddress!, pattern.count)
                {
                    let place = all.baseAddress!.distance(to: found)
                    places.append(place)
                    from = place + 1
                }
                return places
            }
        }
    }

    /// Every wrapping key that is readable, whole or in a copy (`WrappingKeyFile`).
    func wrappingKeys() throws -> [WrappingKey] {
        try places(of: Data("KEK2".utf8)).compactMap { place in
            let block = [UInt8](bytes[place..<min(place + 73, bytes.count)])
            guard block.count == 73, block[4] == 0,
                Array(SHA256.hash(data: block[..<53])).prefix(20).elementsEqual(block[53...])
            else { return nil }
            let secret = try memory.secret { target in target.copyBytes(from: block[21..<53]) }
            return WrappingKey(
                number: UInt32(bigEndianBytes: block[5..<9]), order: 1, createTime: .distantPast, secret: secret)
        }
    }

    /// Every session key that opens with a wrapping key that is readable. A slot's place is authenticated, and what lies in
    /// a free block does not tell it: all are tried.
    func keys() throws -> [[UInt8]] {
        let wrapping = try wrappingKeys()
        var keys: Set<[UInt8]> = []
        for place in places(of: Data("SLT1".utf8)) where place + SlotRecord.byteCount <= bytes.count {
            guard case .used(let record) = SlotRecord.read([UInt8](bytes[place..<place + SlotRecord.byteCount])[...])
            else { continue }
            for key in wrapping where key.number == record.wrappingKey {
                for slot in 0..<KeySlots.slotsPerExtent {
                    if let secret = try? record.unwrapped(at: slot, under: key, in: memory) {
                        keys.insert(secret.withUnsafeBytes { Array($0) })
                        break
                    }
                }
            }
        }
        return Array(keys)
    }

    /// Those of the texts that lie somewhere on the disk and open with one of the keys.
    func opened(_ texts: [SealedText], with keys: [[UInt8]]) throws -> [SealedText] {
        let keys = try keys.map { bytes in
            let key = try SessionKey(bytes: bytes)
            return SessionKeys(token: key, content: key)
        }
        return texts.filter { text in
            contains(Data(text.sealed))
                && keys.contains { keys in
                    let cipher = SessionCipher(sessionID: text.session, keys: keys, version: keys.version)
                    return (try? cipher?.open(text.sealed, as: text.field)) != nil
                }
        }
    }
}

/// A text as it is stored.
struct SealedText: Sendable {
    var session: String
    var field: SessionCipher.Field
    var sealed: [UInt8]
}

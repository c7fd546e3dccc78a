internal import Crypto
internal import Foundation

/// The one framing of everything this module encrypts: format version (1 byte), nonce (12), ciphertext, tag (16).
enum SealedBytes {
    /// AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.
    private static let formatVersion: UInt8 = 1
    private static let nonceLength = 12
    private static let tagLength = 16

    /// Bytes that sealing adds to a text.
    static let overhead = 1 + nonceLength + tagLength

    static func seal(
        _ plaintext: [UInt8], authenticating authenticatedData: [UInt8], key: SymmetricKey
    ) throws(PrivacyError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(
                plaintext, using: key, nonce: try randomNonce(), authenticating: authenticatedData)
            // Nonce, ciphertext and tag, which there always is of a nonce of this length.
            guard let combined = box.combined else { throw PrivacyError(.invalidKey, "the key can't seal") }
            return [UInt8](unsafeUninitializedCapacity: 1 + combined.count) { sealed, count in
                sealed[0] = formatVersion
                _ = combined.copyBytes(to: UnsafeMutableBufferPointer(rebasing: sealed[1...]))
                count = 1 + combined.count
            }
        } catch {
            throw PrivacyError(.invalidKey, "the key can't seal")
        }
    }

    private static func randomNonce() throws -> AES.GCM.Nonce {
        var generator = PooledRandom()
        return try withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
            bytes.storeBytes(of: generator.next(), as: UInt64.self)
            bytes.storeBytes(of: generator.next(), toByteOffset: 8, as: UInt64.self)
            return try AES.GCM.Nonce(data: UnsafeRawBufferPointer(rebasing: bytes[..<nonceLength]))
        }
    }

    static func open(
        _ sealed: [UInt8], authenticating authenticatedData: [UInt8], key: SymmetricKey
    ) throws(PrivacyError) -> [UInt8] {
        guard let version = sealed.first else { throw PrivacyError(.malformed, "sealed bytes are empty") }
        guard version == formatVersion else {
            throw PrivacyError(.unsupportedFormat, "sealed bytes are of an unknown format")
        }
        guard sealed.count >= overhead else { throw PrivacyError(.malformed, "sealed bytes are too short") }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed[1...])
            return [UInt8](try AES.GCM.open(box, using: key, authenticating: authenticatedData))
        } catch {
            throw PrivacyError(.notAuthentic, "sealed bytes do not open with this key in this place")
        }
    }
}

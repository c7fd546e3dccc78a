import Crypto
import Foundation
import IdentityCore
import Testing

@Suite("Signing keys")
struct SigningKeyTests {
    @Test("a key's id is the start of its public key's SHA-256, in lower-case hexadecimal")
    func keyID() throws {
        // RFC 8032 section 7.1, test 1: the public key and, by any SHA-256, the id.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        let key = SigningKey(
            privateKey: try Curve25519.Signing.PrivateKey(rawRepresentation: bytes(seed)), createTime: .distantPast)
        #expect(key.publicKey == bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
        #expect(key.id == "21fe31dfa154a261")
    }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}

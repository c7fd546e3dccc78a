package import Crypto
package import Foundation

/// The Ed25519 key that access tokens are signed with (RFC 8032, RFC 8037).
package struct SigningKey: Sendable {
    package let privateKey: Curve25519.Signing.PrivateKey
    package let createTime: Date

    package init(privateKey: Curve25519.Signing.PrivateKey, createTime: Date) {
        self.privateKey = privateKey
        self.createTime = createTime
    }

    /// 32 bytes.
    package var publicKey: [UInt8] { Array(privateKey.publicKey.rawRepresentation) }
    package var id: String { Self.id(ofPublicKey: publicKey) }

    package static func id(of privateKey: Curve25519.Signing.PrivateKey) -> String {
        id(ofPublicKey: Array(privateKey.publicKey.rawRepresentation))
    }

    /// The `kid` of a token's header: the first 16 hexadecimal digits of the public key's SHA-256.
    package static func id(ofPublicKey publicKey: [UInt8]) -> String {
        SHA256.hash(data: publicKey).prefix(8)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
    }
}

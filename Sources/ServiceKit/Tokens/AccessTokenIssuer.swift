internal import Crypto
internal import JWTKit

/// Signs access tokens with one Ed25519 key; identity has one.
public struct AccessTokenIssuer: Sendable {
    /// Names the key in a token's header, and in the keys that identity publishes.
    public let keyID: String

    /// The 32 bytes that tokens are verified with.
    public let publicKey: [UInt8]

    private let keys: JWTKeyCollection
    private let identifier: JWKIdentifier

    /// - Parameters:
    ///   - keyID: 1–64 letters, digits, "-" and "_".
    ///   - privateKey: the 32-byte seed of RFC 8032.
    /// - Throws: a `CryptoKitError` for a key of another length.
    public init(keyID: String, privateKey: [UInt8]) async throws {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: privateKey)
        self.keyID = keyID
        publicKey = [UInt8](key.publicKey.rawRepresentation)
        identifier = JWKIdentifier(string: keyID)
        keys = await JWTKeyCollection().add(eddsa: EdDSA.PrivateKey(backing: key), kid: identifier)
    }

    /// Makes a new private key: 32 random bytes.
    public static func newPrivateKey() -> [UInt8] {
        [UInt8](Curve25519.Signing.PrivateKey().rawRepresentation)
    }

    /// - Returns: the token, for the metadata "authorization: Bearer …".
    public func sign(_ claims: AccessTokenClaims) async throws -> String {
        try await keys.sign(claims, kid: identifier)
    }
}

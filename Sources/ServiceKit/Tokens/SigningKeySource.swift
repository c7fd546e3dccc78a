public import RPC

/// Where the public keys come from that access tokens are verified with.
public protocol SigningKeySource: Sendable {
    /// - Returns: the 32 bytes of an Ed25519 public key (RFC 8032); nil when there is no such key.
    /// - Throws: UNAVAILABLE naming identity when that can't be told now.
    func publicKey(_ keyID: String) async throws(RPCError) -> [UInt8]?
}

/// Keys that are known from the start: identity's own, for its own calls.
public struct FixedSigningKeys: SigningKeySource {
    private let keys: [String: [UInt8]]

    /// - Parameter keys: public keys of 32 bytes by their id.
    public init(_ keys: [String: [UInt8]]) { self.keys = keys }

    public func publicKey(_ keyID: String) async throws(RPCError) -> [UInt8]? { keys[keyID] }
}

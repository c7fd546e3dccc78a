public import Foundation
public import JWTKit

/// What an administrator's access token says: a JWT (RFC 7519) signed by identity with Ed25519 (RFC 8037).
///
/// It names no person: `sub` is an opaque id, and there is no e-mail address or name in it.
public struct AccessTokenClaims: JWTPayload, Sendable, Equatable {
    /// Who issues and who accepts access tokens.
    public static let issuer = "samtal"
    public static let audience = "samtal"

    /// How long a token is good for, in seconds.
    public static let lifetime: TimeInterval = 600

    /// The administrator's id.
    public var sub: SubjectClaim
    /// The id of the administrator's organisation.
    public var org: String
    public var iss: IssuerClaim
    /// One audience, never a list.
    public var aud: String
    public var exp: ExpirationClaim
    public var iat: IssuedAtClaim
    /// The token's own id.
    public var jti: IDClaim
    /// The sign-in that it came from, by which it can be ended before its time; an opaque id.
    public var sid: String?

    public init(
        administratorID: String, organisationID: String, tokenID: String, signInID: String? = nil, issuedAt: Date,
        lifetime: TimeInterval = Self.lifetime
    ) {
        sub = SubjectClaim(value: administratorID)
        org = organisationID
        iss = IssuerClaim(value: Self.issuer)
        aud = Self.audience
        // Whole seconds: what is compared is then what was written (RFC 7519 section 2, NumericDate).
        let issued = issuedAt.timeIntervalSince1970.rounded(.down)
        iat = IssuedAtClaim(value: Date(timeIntervalSince1970: issued))
        exp = ExpirationClaim(value: Date(timeIntervalSince1970: issued + lifetime))
        jti = IDClaim(value: tokenID)
        sid = signInID
    }

    /// Checks everything but the signature and the time: RFC 7519 section 4.1.
    public func verify(using algorithm: some JWTAlgorithm) async throws {
        guard algorithm.name == AccessTokenHeader.algorithm else {
            throw JWTError.generic(identifier: "alg", reason: "not \(AccessTokenHeader.algorithm)")
        }
        guard iss.value == Self.issuer else {
            throw JWTError.claimVerificationFailure(failedClaim: iss, reason: "not issued by \(Self.issuer)")
        }
        guard aud == Self.audience else {
            throw JWTError.claimVerificationFailure(failedClaim: nil, reason: "not intended for \(Self.audience)")
        }
        guard FieldCheck.isIdentifier(sub.value), FieldCheck.isIdentifier(org),
            sid.map(FieldCheck.isIdentifier) ?? true
        else {
            throw JWTError.claimVerificationFailure(failedClaim: sub, reason: "not an identifier")
        }
    }
}

/// The header fields that decide how a token is verified (RFC 7515 section 4.1).
struct AccessTokenHeader: Decodable, Sendable {
    /// The one algorithm there is. The header is believed in nothing else: "none" and HMAC with a public key as the
    /// secret are the classic forgeries (RFC 8725 section 2.1).
    static let algorithm = "EdDSA"

    var alg: String
    var kid: String
    /// Extensions that must be understood; none are (RFC 7515 section 4.1.11).
    var crit: [String]?

    /// Reads the first part of a token; nil unless it is one that this service could verify.
    init?(token: String) {
        guard let part = token.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).first,
            let bytes = Base64URL.decode(String(part)),
            let header = try? JSONDecoder().decode(AccessTokenHeader.self, from: Data(bytes)),
            header.alg == Self.algorithm, header.crit == nil, Self.isKeyID(header.kid)
        else { return nil }
        self = header
    }

    /// 1–64 letters, digits, "-" and "_".
    static func isKeyID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(Base64URL.isInAlphabet)
    }
}

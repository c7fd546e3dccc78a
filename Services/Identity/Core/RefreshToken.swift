/// An opaque token that is traded for new tokens once: 26 characters that find its family, then 52 that prove it.
///
/// Only hashes of both halves are stored. All tokens of one sign-in share the first half, so a family is one row
/// however often it is refreshed, and a used token is still recognised as one of the family.
package struct RefreshToken: Sendable, Equatable {
    package static let familyCharacters = 26
    package static let secretCharacters = 52
    package static let characters = familyCharacters + secretCharacters

    package let text: String

    /// What the family is found by.
    package var familyHash: SecretHash { SecretHash(of: text.prefix(Self.familyCharacters)) }
    /// What its access tokens are known by: see `RefreshFamily.signInID`.
    package var signInID: String { RefreshFamily.signInID(ofFamily: familyHash) }
    /// What the family's current token is known by.
    package var hash: SecretHash { SecretHash(of: text) }

    /// The first token of a new family.
    package static func first(using generator: inout some RandomNumberGenerator) -> RefreshToken {
        RefreshToken(checked: Base32.random(characters: characters, using: &generator))
    }

    /// The token that follows this one in its family.
    package func successor(using generator: inout some RandomNumberGenerator) -> RefreshToken {
        let secret = Base32.random(characters: Self.secretCharacters, using: &generator)
        return RefreshToken(checked: text.prefix(Self.familyCharacters) + secret)
    }

    /// Nil if the text can't have been issued.
    package init?(_ text: String) {
        guard Base32.isWellFormed(text[...], characters: Self.characters) else { return nil }
        self.text = text
    }

    private init(checked text: String) {
        self.text = text
    }
}

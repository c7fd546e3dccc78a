/// The secret that an administrator signs in with once: 26 characters, 130 random bits.
package struct SignInCode: Sendable, Equatable {
    package static let characters = 26
    /// A typed code may have a space or hyphen after every character, and not much more.
    package static let maximumTypedBytes = 64

    package let text: String

    package var hash: SecretHash { SecretHash(of: text) }

    package static func random(using generator: inout some RandomNumberGenerator) -> SignInCode {
        SignInCode(text: Base32.random(characters: characters, using: &generator))
    }

    /// Reads a code as a person typed it; nil if it can't have been issued.
    package init?(typed: String) {
        guard typed.utf8.count <= Self.maximumTypedBytes,
            let text = Base32.canonical(typed, characters: Self.characters)
        else { return nil }
        self.text = text
    }

    private init(text: String) {
        self.text = text
    }
}

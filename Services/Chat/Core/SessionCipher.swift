internal import Crypto
internal import Foundation
package import Privacy

/// Seals and opens what one session stores, and makes the digests that stand for people and requests.
///
/// All of it depends on the session's keys alone, so destroying them destroys the texts and the digests' meaning with them.
/// Texts are sealed under the content key, which is changed when something was deleted. Digests stay what they are: they
/// are made under the key of the participants' tokens.
package struct SessionCipher: Sendable {
    package let sessionID: String
    /// Of the content key.
    package let version: Int
    /// Seals participants' tokens.
    package let tokenKey: SessionKey
    private let key: SessionKey
    /// Keyed once, and copied for each digest: keying is most of what a short digest costs.
    private let digest: HMAC<SHA256>

    /// - Returns: nil if there is no content key of that version.
    package init?(sessionID: String, keys: SessionKeys, version: Int) {
        guard let key = keys.content(ofVersion: version) else { return nil }
        self.sessionID = sessionID
        self.version = version
        self.key = key
        tokenKey = keys.token
        digest = HMAC<SHA256>(key: keys.token.derived("chat request digest"))
    }

    /// A text of the session that is stored sealed.
    package enum Field: Sendable, Hashable {
        case title
        case questionText(questionID: String)
        case authorName(questionID: String)
        case answerText(answerID: String)
        case hostName(answerID: String)
    }

    /// - Returns: Nothing for an empty text: that a name was not given is not a secret.
    package func seal(_ text: String, as field: Field) throws(PrivacyError) -> [UInt8] {
        guard !text.isEmpty else { return [] }
        return try key.seal(text, field: sealedField(field))
    }

    /// - Throws: ``ChatError/damaged`` if the bytes are not what was sealed for this place.
    package func open(_ sealed: [UInt8], as field: Field) throws(ChatError) -> String {
        guard !sealed.isEmpty else { return "" }
        do {
            return try key.open(sealed, field: sealedField(field))
        } catch {
            throw .damaged
        }
    }

    private func sealedField(_ field: Field) -> SealedField {
        switch field {
        case .title: SealedField(session: sessionID, object: sessionID, name: "title")
        case .questionText(let id): SealedField(session: sessionID, object: id, name: "text")
        case .authorName(let id): SealedField(session: sessionID, object: id, name: "author_name")
        case .answerText(let id): SealedField(session: sessionID, object: id, name: "answer_text")
        case .hostName(let id): SealedField(session: sessionID, object: id, name: "host_name")
        }
    }
}

extension SessionCipher {
    /// Bytes of a digest: unique within any session, and short, because every question is indexed under two.
    package static let digestLength = 16

    /// Stands for a participant in the session's rows.
    package func authorDigest(of participantID: String) -> [UInt8] {
        digest("author", [participantID])
    }

    /// Stands for one participant's request to ask.
    package func askDigest(requestID: String, participantID: String) -> [UInt8] {
        digest("ask", [participantID, requestID])
    }

    /// Stands for one administrator's request to answer.
    package func answerDigest(requestID: String, administratorID: String) -> [UInt8] {
        digest("answer", [administratorID, requestID])
    }

    /// HMAC-SHA256 (RFC 2104), cut to ``digestLength``, over parts of which none can hold the separator.
    private func digest(_ purpose: String, _ parts: [String]) -> [UInt8] {
        var message = [UInt8](purpose.utf8)
        for part in parts {
            message.append(0)
            message.append(contentsOf: part.utf8)
        }
        var digest = digest
        digest.update(data: message)
        return [UInt8](digest.finalize().prefix(SessionCipher.digestLength))
    }
}

import Foundation

/// What was seen of an erasure, by those who did it: retention of the keys, chat of the content.
package struct ErasureEvidence: Sendable, Equatable {
    package var keys: KeyDestruction
    package var content: ContentErasure

    package init(keys: KeyDestruction, content: ContentErasure) {
        self.keys = keys
        self.content = content
    }

    /// As a statement has it. The counts are a member of the statement itself.
    var members: CanonicalJSON {
        var keys: [String: CanonicalJSON] = [
            "medium": .string(self.keys.medium), "risks": .array(self.keys.risks.map { .string($0) }),
            "slots": .integer(self.keys.slots),
        ]
        keys["read_back"] = self.keys.readBack.map { .string($0.rawValue) }
        keys["place"] = self.keys.place.map { .string($0.rawValue) }
        return .object([
            "content": .object([
                "bytes": .integer(content.bytes), "files": .integer(content.files),
                "found": .string(content.found.rawValue), "time": .string(LedgerTime.text(content.time)),
            ]),
            "keys": .object(keys),
        ])
    }

    /// The members as JSON has them.
    struct Members: Decodable {
        struct Content: Decodable {
            var bytes: Int64
            var files: Int64
            var found: String
            var time: String
        }

        struct Keys: Decodable {
            var medium: String
            var place: String?
            var readBack: String?
            var risks: [String]
            var slots: Int64

            enum CodingKeys: String, CodingKey {
                case medium, place
                case readBack = "read_back"
                case risks, slots
            }
        }

        var content: Content
        var keys: Keys

        /// nil for what no ledger writes. What is merely spelt otherwise is caught by the canonical form.
        func evidence(counts: ErasedCounts?) -> ErasureEvidence? {
            guard let found = ContentErasure.Found(rawValue: content.found),
                let time = LedgerTime.date(text: content.time)
            else { return nil }
            let integers = [content.bytes, content.files, keys.slots]
            guard integers.allSatisfy((0...CanonicalJSON.largestInteger).contains) else { return nil }
            return ErasureEvidence(
                keys: KeyDestruction(
                    slots: keys.slots, readBack: keys.readBack.flatMap(KeyDestruction.ReadBack.init(rawValue:)),
                    place: keys.place.flatMap(KeyDestruction.Place.init(rawValue:)), medium: keys.medium,
                    risks: keys.risks),
                content: ContentErasure(
                    found: found, files: content.files, bytes: content.bytes, time: time, counts: counts))
        }
    }
}

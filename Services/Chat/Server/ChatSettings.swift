package import ChatCore
internal import Privacy

/// What whoever runs chat decides.
package struct ChatSettings: Sendable {
    /// The beginning of every session id made here; tells the gateway which store a session is in.
    package let storeTag: String
    package var limits = ChatLimits()
    package var store = StoreLimits()
    /// How often sessions are looked after: ended, reported, cut off.
    package var upkeepInterval: Duration = .seconds(1)
    /// How often retention is asked whether sessions have to go earlier. It says so by itself when it is; asking finds
    /// what was lost, as when one of the two was restored from a backup.
    package var deadlineInterval: Duration = .seconds(300)

    /// How long after the first deletion in a session its content key is changed, with whatever is deleted until then.
    package var keyChangeDelay: Duration = .seconds(600)

    /// - Parameters:
    ///   - sessionDays: See ``ChatLimits/sessionDays``; the other limits likewise.
    /// - Throws: ``ChatError/Code/invalid`` unless the tag is 1 to 16 of a–z and 0–9.
    package init(
        storeTag: String = "a", sessionDays: Int? = nil, questionsPerSession: Int64? = nil,
        questionsPerParticipant: Int? = nil
    ) throws(ChatError) {
        guard (1...16).contains(storeTag.utf8.count), Identifier.isValid(storeTag), !storeTag.contains("-") else {
            throw .invalid("store-tag", "must be 1 to 16 of a–z and 0–9")
        }
        self.storeTag = storeTag
        if let sessionDays { limits.sessionDays = sessionDays }
        if let questionsPerSession { limits.questionsPerSession = questionsPerSession }
        if let questionsPerParticipant { limits.questionsPerParticipant = questionsPerParticipant }
    }
}

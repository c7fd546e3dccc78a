package import Privacy

/// In which regions a session's content and its keys were kept, as whoever ran the processes declared: a statement of
/// theirs, which the ledger repeats and can't prove.
package struct DeclaredRegions: Sendable, Equatable {
    /// Of the questions and answers.
    package var chat: Region?
    /// Of the keys and the ledger.
    package var retention: Region?

    package init(chat: Region? = nil, retention: Region? = nil) {
        self.chat = chat
        self.retention = retention
    }

    /// As a statement has them; nil when none is on record.
    var members: CanonicalJSON? {
        let members = [("chat", chat), ("retention", retention)].compactMap { name, region in
            region.map { (name, CanonicalJSON.string($0.name)) }
        }
        return members.isEmpty ? nil : .object(Dictionary(uniqueKeysWithValues: members))
    }

    /// "se", or "chat se, retention fi" where they differ.
    package var inWords: String? {
        switch (chat, retention) {
        case (nil, nil): nil
        case (let chat?, let retention?) where chat == retention: chat.name
        default:
            [("chat", chat), ("retention", retention)].compactMap { name, region in
                region.map { "\(name) \($0.name)" }
            }.joined(separator: ", ")
        }
    }
}

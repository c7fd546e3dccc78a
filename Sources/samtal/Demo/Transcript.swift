import Foundation

/// A chat to play: who asks what, and what becomes of it.
struct Transcript: Decodable {
    struct Entry: Decodable {
        /// What the participant calls themselves; empty: anonymous.
        var name: String
        var question: String
        /// What the host answers; absent: the question is only published.
        var answer: String?
        /// The moderator rejects it.
        var reject: Bool?

        var isRejected: Bool { reject ?? false }
    }

    private static let maximumBytes = 4 << 20

    var title: String
    var host: String
    var entries: [Entry]

    var published: Int { entries.count { !$0.isRejected } }

    /// Everything that must not be found anywhere afterwards. Names of a few letters would be found in any file.
    var texts: [String] {
        let names = entries.map(\.name).filter { $0.utf8.count >= 8 }
        return [title, host] + names + entries.map(\.question) + entries.compactMap(\.answer)
    }

    static func read(_ path: String) throws -> Transcript {
        let bytes = try BoundedFile.read(path, maximumBytes: maximumBytes)
        do {
            return try JSONDecoder().decode(Transcript.self, from: Data(bytes))
        } catch {
            throw CommandFailure("\(path) is no transcript: JSON with title, host and entries is expected.")
        }
    }
}

internal import Crypto
internal import Foundation
internal import Synchronization

/// Tokens that were verified, so that one that comes with every call costs a hash instead of a signature check.
///
/// Holds hashes, never tokens. Two generations bound it: when the newer one is full it becomes the older, and the older
/// is forgotten. Whatever is in use moves back into the newer one, so each step costs O(1) and no list is kept.
final class AccessTokenCache: Sendable {
    struct Entry: Sendable {
        var principal: Principal
        var signIn: SignIn?
        var issued: Date
        var expires: Date
    }

    private struct Generations {
        var newer: [SHA256.Digest: Entry] = [:]
        var older: [SHA256.Digest: Entry] = [:]
    }

    private let generationLimit: Int
    private let generations = Mutex(Generations())

    /// - Parameter limit: the most entries held at a time, at least 2.
    init(limit: Int) { generationLimit = max(1, limit / 2) }

    static func key(_ token: String) -> SHA256.Digest {
        var hash = SHA256()
        var token = token
        token.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return hash.finalize()
    }

    func entry(_ key: SHA256.Digest) -> Entry? {
        generations.withLock { generations in
            if let entry = generations.newer[key] { return entry }
            guard let entry = generations.older.removeValue(forKey: key) else { return nil }
            insert(entry, for: key, into: &generations)
            return entry
        }
    }

    func insert(_ entry: Entry, for key: SHA256.Digest) {
        generations.withLock { insert(entry, for: key, into: &$0) }
    }

    var count: Int { generations.withLock { $0.newer.count + $0.older.count } }

    private func insert(_ entry: Entry, for key: SHA256.Digest, into generations: inout Generations) {
        if generations.newer.count >= generationLimit {
            generations.older = generations.newer
            generations.newer = [:]
        }
        generations.newer[key] = entry
    }
}

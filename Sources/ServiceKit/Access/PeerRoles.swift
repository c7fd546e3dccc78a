public import Contracts
internal import Glibc
public import RPC

/// Which roles the processes at the other end of the socket have, by the user id the kernel vouches for
/// (SO_PEERCRED). A user that isn't listed isn't let in at all.
public struct PeerRoles: Sendable, Equatable {
    private let roleSets: [UInt32: RoleSet]

    public init(_ map: [UInt32: Set<PeerRole>]) {
        roleSets = map.mapValues { RoleSet($0) }.filter { !$0.value.isEmpty }
    }

    /// For one machine and one user: the process's own user has every role, and so has root.
    public static func ownUser() -> PeerRoles {
        let every = Set(PeerRole.allCases)
        // The own user may be root.
        let users: Set<UInt32> = [geteuid(), 0]
        return PeerRoles(Dictionary(uniqueKeysWithValues: users.map { ($0, every) }))
    }

    /// Whether the peer's connection is kept.
    public func accepts(_ peer: Peer) -> Bool { roleSets[peer.uid] != nil }

    /// The roles of a user; empty when it isn't listed.
    public func roles(of uid: UInt32) -> Set<PeerRole> { roleSet(of: uid).roles }

    func roleSet(of uid: UInt32) -> RoleSet { roleSets[uid] ?? .none }
}

extension PeerRoles {
    /// Reads lines such as "1001=gateway" and "samtal-chat=service,operator". Lines for the same user add up.
    /// - Throws: `StartUpError` saying which line is wrong and how it should read.
    public static func parse(_ lines: [String]) throws(StartUpError) -> PeerRoles {
        var map: [UInt32: Set<PeerRole>] = [:]
        for line in lines {
            let (uid, roles) = try parse(line: line)
            map[uid, default: []].formUnion(roles)
        }
        return PeerRoles(map)
    }

    private static func parse(line: String) throws(StartUpError) -> (UInt32, Set<PeerRole>) {
        let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else {
            throw StartUpError("--peer \"\(line)\" is not USER=ROLE", remedy: "write it like 1001=gateway,service")
        }
        var roles: Set<PeerRole> = []
        for name in halves[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let role = PeerRole(rawValue: String(name)) else {
                let known = PeerRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartUpError("--peer \"\(line)\": there is no role \"\(name)\"", remedy: "the roles are \(known)")
            }
            roles.insert(role)
        }
        guard let uid = userID(String(halves[0])) else {
            throw StartUpError(
                "--peer \"\(line)\": there is no user \"\(halves[0])\"",
                remedy: "give a numeric user id, or a user name of this machine")
        }
        return (uid, roles)
    }

    /// A numeric id as it is, otherwise the id of the user of that name.
    private static func userID(_ text: String) -> UInt32? {
        if text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
            // (uid_t) -1 means "no user" to the kernel.
            return UInt32(text).flatMap { $0 == UInt32.max ? nil : $0 }
        }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
            guard let space = buffer.baseAddress,
                getpwnam_r(text, &entry, space, buffer.count, &found) == 0, found != nil
            else { return nil }
            return entry.pw_uid
        }
    }
}

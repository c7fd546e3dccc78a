public import Contracts
internal import Glibc
public import RPC

/// Which roles the processes at the other end of the socket have, by the user id and the group id that the kernel
/// vouches for (SO_PEERCRED). A process that isn't listed by either isn't let in at all.
///
/// The group is the one the process runs as: a user's other groups are not looked at.
public struct PeerRoles: Sendable, Equatable {
    private let users: [UInt32: RoleSet]
    private let groups: [UInt32: RoleSet]

    /// - Parameters:
    ///   - users: roles by user id.
    ///   - groups: roles by group id; a process has those of its user as well.
    public init(_ users: [UInt32: Set<PeerRole>], groups: [UInt32: Set<PeerRole>] = [:]) {
        self.users = users.mapValues { RoleSet($0) }.filter { !$0.value.isEmpty }
        self.groups = groups.mapValues { RoleSet($0) }.filter { !$0.value.isEmpty }
    }

    /// For one machine and one user: the process's own user has every role, and so has root.
    public static func ownUser() -> PeerRoles {
        let every = Set(PeerRole.allCases)
        // The own user may be root.
        let users: Set<UInt32> = [geteuid(), 0]
        return PeerRoles(Dictionary(uniqueKeysWithValues: users.map { ($0, every) }))
    }

    /// Whether the peer's connection is kept.
    public func accepts(_ peer: Peer) -> Bool { !roleSet(of: peer).isEmpty }

    /// The roles of a process; empty when it isn't listed.
    public func roles(of peer: Peer) -> Set<PeerRole> { roleSet(of: peer).roles }

    func roleSet(of peer: Peer) -> RoleSet {
        let own = users[peer.uid] ?? .none
        if groups.isEmpty { return own }
        return own.union(groups[peer.gid] ?? .none)
    }
}

extension PeerRoles {
    /// What stands before the name or number of a group.
    private static let groupPrefix = "group:"

    /// Who a line is about.
    private enum Subject {
        case user(UInt32)
        case group(UInt32)
    }

    /// Reads lines such as "1001=gateway", "samtal-chat=service,operator" and "group:web=gateway". Lines for the same
    /// user or group add up.
    /// - Throws: `StartUpError` saying which line is wrong and how it should read.
    public static func parse(_ lines: [String]) throws(StartUpError) -> PeerRoles {
        var users: [UInt32: Set<PeerRole>] = [:]
        var groups: [UInt32: Set<PeerRole>] = [:]
        for line in lines {
            let (subject, roles) = try parse(line: line)
            switch subject {
            case .user(let id): users[id, default: []].formUnion(roles)
            case .group(let id): groups[id, default: []].formUnion(roles)
            }
        }
        return PeerRoles(users, groups: groups)
    }

    private static func parse(line: String) throws(StartUpError) -> (Subject, Set<PeerRole>) {
        let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty, halves[0] != groupPrefix, !halves[1].isEmpty else {
            throw StartUpError(
                "--peer \"\(line)\" is not USER=ROLE",
                remedy: "write it like 1001=gateway,service, or group:web=gateway")
        }
        var roles: Set<PeerRole> = []
        for name in halves[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let role = PeerRole(rawValue: String(name)) else {
                let known = PeerRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartUpError("--peer \"\(line)\": there is no role \"\(name)\"", remedy: "the roles are \(known)")
            }
            roles.insert(role)
        }
        return (try subject(String(halves[0]), line: line), roles)
    }

    private static func subject(_ text: String, line: String) throws(StartUpError) -> Subject {
        if text.hasPrefix(groupPrefix) {
            let name = String(text.dropFirst(groupPrefix.count))
            if let id = number(name) ?? groupID(name) { return .group(id) }
            throw StartUpError(
                "--peer \"\(line)\": there is no group \"\(name)\"",
                remedy: "give a numeric group id, or a group name of this machine")
        }
        if let id = number(text) ?? userID(text) { return .user(id) }
        throw StartUpError(
            "--peer \"\(line)\": there is no user \"\(text)\"",
            remedy: "give a numeric user id, or a user name of this machine")
    }

    /// Nil for what isn't a number, and for -1, which means "none" to the kernel.
    private static func number(_ text: String) -> UInt32? {
        guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        return UInt32(text).flatMap { $0 == UInt32.max ? nil : $0 }
    }

    private static func userID(_ name: String) -> UInt32? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: longestEntry) { buffer in
            guard let space = buffer.baseAddress,
                getpwnam_r(name, &entry, space, buffer.count, &found) == 0, found != nil
            else { return nil }
            return entry.pw_uid
        }
    }

    private static func groupID(_ name: String) -> UInt32? {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: longestEntry) { buffer in
            guard let space = buffer.baseAddress,
                getgrnam_r(name, &entry, space, buffer.count, &found) == 0, found != nil
            else { return nil }
            return entry.gr_gid
        }
    }

    /// Room for an entry of the user or group database; a group with more members than fit is as good as none.
    private static let longestEntry = 65_536
}

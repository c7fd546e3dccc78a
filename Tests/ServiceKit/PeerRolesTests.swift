import Contracts
import Foundation
import RPC
import Testing

@testable import ServiceKit

@Suite("Peer roles")
struct PeerRolesTests {
    private func peer(_ user: UInt32, group: UInt32 = 9) -> Peer { Peer(uid: user, gid: group, pid: 1) }

    @Test("a line gives a user its roles, and lines for one user add up")
    func parsing() throws {
        let peers = try PeerRoles.parse(["1001=gateway,service", "1002=backend", "1001=operator"])
        #expect(peers.roles(of: peer(1001)) == [.gateway, .service, .operator])
        #expect(peers.roles(of: peer(1002)) == [.backend])
        #expect(peers.roles(of: peer(1003)).isEmpty)
    }

    @Test("a user can be named")
    func names() throws {
        #expect(try PeerRoles.parse(["root=operator"]).roles(of: peer(0)) == [.operator])
    }

    @Test("a group can be given roles, by number or name, and its processes have their user's as well")
    func groups() throws {
        let peers = try PeerRoles.parse([
            "group:2001=gateway", "1001=backend", "group:root=service", "group:2001=service",
        ])
        #expect(peers.roles(of: peer(9, group: 2001)) == [.gateway, .service])
        #expect(peers.roles(of: peer(1001, group: 2001)) == [.gateway, .service, .backend])
        #expect(peers.roles(of: peer(1001)) == [.backend])
        #expect(peers.roles(of: peer(9, group: 0)) == [.service])
        // A user's id is not a group's.
        #expect(peers.roles(of: peer(2001)).isEmpty)
        #expect(!peers.accepts(peer(2001)))
        #expect(peers.accepts(peer(9, group: 2001)))
    }

    @Test("an unknown user is not let in")
    func unknown() throws {
        let peers = try PeerRoles.parse(["1001=gateway"])
        #expect(peers.accepts(peer(1001)))
        #expect(!peers.accepts(peer(0, group: 0)))
        #expect(!PeerRoles([1001: []]).accepts(peer(1001)))
        #expect(!PeerRoles([:], groups: [9: []]).accepts(peer(1001)))
    }

    @Test("without configuration the own user and root have every role, and nobody else any")
    func ownUser() {
        let peers = PeerRoles.ownUser()
        #expect(peers.roles(of: peer(geteuid())) == Set(PeerRole.allCases))
        #expect(peers.roles(of: peer(0)) == Set(PeerRole.allCases))
        #expect(!peers.accepts(peer(geteuid() &+ 12_345, group: getegid())))
    }

    @Test(
        "a line that can't be read says what is wrong with it",
        arguments: [
            ("1001", "is not USER=ROLE"), ("=gateway", "is not USER=ROLE"), ("1001=", "is not USER=ROLE"),
            ("1001=king", "there is no role \"king\""), ("1001=gateway,", "there is no role \"\""),
            ("4294967295=gateway", "there is no user"), ("99999999999=gateway", "there is no user"),
            ("no-such-user-here=gateway", "there is no user"), ("group:=gateway", "is not USER=ROLE"),
            ("group:4294967295=gateway", "there is no group"), ("group:no-such-group=gateway", "there is no group"),
            ("group:1001=king", "there is no role \"king\""), ("-1=gateway", "there is no user"),
        ])
    func errors(line: String, problem: String) {
        let error = #expect(throws: StartUpError.self) { try PeerRoles.parse([line]) }
        #expect(error?.description.contains(problem) == true)
        #expect(error?.remedy.isEmpty == false)
    }
}

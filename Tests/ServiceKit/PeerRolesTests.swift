import Contracts
import Foundation
import RPC
import Testing

@testable import ServiceKit

@Suite("Peer roles")
struct PeerRolesTests {
    @Test("a line gives a user its roles, and lines for one user add up")
    func parsing() throws {
        let peers = try PeerRoles.parse(["1001=gateway,service", "1002=backend", "1001=operator"])
        #expect(peers.roles(of: 1001) == [.gateway, .service, .operator])
        #expect(peers.roles(of: 1002) == [.backend])
        #expect(peers.roles(of: 1003).isEmpty)
    }

    @Test("a user can be named")
    func names() throws {
        #expect(try PeerRoles.parse(["root=operator"]).roles(of: 0) == [.operator])
    }

    @Test("an unknown user is not let in")
    func unknown() throws {
        let peers = try PeerRoles.parse(["1001=gateway"])
        #expect(peers.accepts(Peer(uid: 1001, gid: 9, pid: 1)))
        #expect(!peers.accepts(Peer(uid: 0, gid: 0, pid: 1)))
        #expect(!PeerRoles([1001: []]).accepts(Peer(uid: 1001, gid: 9, pid: 1)))
    }

    @Test("without configuration the own user and root have every role, and nobody else any")
    func ownUser() {
        let peers = PeerRoles.ownUser()
        #expect(peers.roles(of: geteuid()) == Set(PeerRole.allCases))
        #expect(peers.roles(of: 0) == Set(PeerRole.allCases))
        #expect(!peers.accepts(Peer(uid: geteuid() &+ 12_345, gid: 1, pid: 1)))
    }

    @Test(
        "a line that can't be read says what is wrong with it",
        arguments: [
            ("1001", "is not USER=ROLE"), ("=gateway", "is not USER=ROLE"), ("1001=", "is not USER=ROLE"),
            ("1001=king", "there is no role \"king\""), ("1001=gateway,", "there is no role \"\""),
            ("4294967295=gateway", "there is no user"), ("99999999999=gateway", "there is no user"),
            ("no-such-user-here=gateway", "there is no user"),
        ])
    func errors(line: String, problem: String) {
        let error = #expect(throws: StartUpError.self) { try PeerRoles.parse([line]) }
        #expect(error?.description.contains(problem) == true)
        #expect(error?.remedy.isEmpty == false)
    }
}

import ArgumentParser
import Foundation
import Testing

@testable import ServiceKit

@Suite("Sockets that systemd passes")
struct ActivatedSocketsTests {
    private func read(_ environment: [String: String]) throws -> [ActivatedSockets.Socket] {
        try ActivatedSockets(environment: environment, process: 4711).sockets
    }

    @Test("they are as many as LISTEN_FDS says, from descriptor 3 on, with their names")
    func reading() throws {
        #expect(try read(["LISTEN_PID": "4711", "LISTEN_FDS": "1"]) == [.init(descriptor: 3, name: "")])
        #expect(
            try read(["LISTEN_PID": "4711", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "chat.socket:"])
                == [.init(descriptor: 3, name: "chat.socket"), .init(descriptor: 4, name: "")])
        #expect(try read(["LISTEN_PID": "4711", "LISTEN_FDS": "0"]).isEmpty)
    }

    @Test(
        "a process that wasn't activated has none, whatever another's were",
        arguments: [
            [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "", "LISTEN_FDS": "1"], ["LISTEN_PID": "4712", "LISTEN_FDS": "1"],
            ["LISTEN_PID": "4712", "LISTEN_FDS": "nonsense", "LISTEN_FDNAMES": "\u{1}"],
        ])
    func others(environment: [String: String]) throws {
        #expect(try read(environment).isEmpty)
    }

    @Test(
        "what isn't well formed keeps the service from starting, and says which variable",
        arguments: [
            (["LISTEN_PID": "x"], "LISTEN_PID"), (["LISTEN_PID": "+4711", "LISTEN_FDS": "1"], "LISTEN_PID"),
            (["LISTEN_PID": "99999999999", "LISTEN_FDS": "1"], "LISTEN_PID"), (["LISTEN_PID": "4711"], "LISTEN_FDS"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": "-1"], "LISTEN_FDS"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": " 1"], "LISTEN_FDS"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": "17"], "LISTEN_FDS"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": "2147483648"], "LISTEN_FDS"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:b"], "LISTEN_FDNAMES has 2 names"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"], "LISTEN_FDNAMES has 1 names"),
            (["LISTEN_PID": "4711", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a\nb"], "LISTEN_FDNAMES holds"),
            (
                ["LISTEN_PID": "4711", "LISTEN_FDS": "1", "LISTEN_FDNAMES": String(repeating: "a", count: 256)],
                "LISTEN_FDNAMES holds"
            ),
            (
                ["LISTEN_PID": "4711", "LISTEN_FDS": "1", "LISTEN_FDNAMES": String(repeating: ":", count: 100_000)],
                "LISTEN_FDNAMES is too long"
            ),
        ] as [([String: String], String)])
    func malformed(environment: [String: String], problem: String) {
        let error = #expect(throws: StartUpError.self) { try read(environment) }
        #expect(error?.problem.contains(problem) == true)
    }

    @Test("a service takes one, and says which it was given when there are more")
    func single() throws {
        let two = try ActivatedSockets(
            environment: ["LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a.socket:b.socket"], process: 1)
        let error = #expect(throws: StartUpError.self) { try two.single() }
        #expect(error?.problem.contains("a.socket, b.socket") == true)
        let none = try ActivatedSockets(environment: [:], process: 1).single()
        #expect(none == nil)
    }

    /// A socket of a kind, and how the check answers to it.
    private func check(_ domain: Int32, _ type: __socket_type, listens: Bool) throws -> (Int32, StartUpError?) {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let descriptor = socket(domain, Int32(type.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        if listens, domain == AF_UNIX {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array((folder.path + "/s").utf8)) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0)
        }
        if listens { try #require(listen(descriptor, 1) == 0) }
        do throws(StartUpError) {
            try ActivatedSockets.check(.init(descriptor: descriptor, name: "s.socket"))
            return (fcntl(descriptor, F_GETFD), nil)
        } catch {
            return (fcntl(descriptor, F_GETFD), error)
        }
    }

    @Test("a listening Unix stream socket is taken, and kept from children")
    func good() throws {
        let (flags, error) = try check(AF_UNIX, SOCK_STREAM, listens: true)
        #expect(error == nil)
        #expect(flags & FD_CLOEXEC != 0)
    }

    @Test("any other descriptor is refused, by what is wrong with it")
    func bad() throws {
        #expect(try check(AF_UNIX, SOCK_STREAM, listens: false).1?.problem.contains("is not listening") == true)
        #expect(try check(AF_UNIX, SOCK_DGRAM, listens: false).1?.problem.contains("is not a stream socket") == true)
        #expect(try check(AF_UNIX, SOCK_SEQPACKET, listens: true).1?.problem.contains("is not a stream socket") == true)
        #expect(try check(AF_INET, SOCK_STREAM, listens: true).1?.problem.contains("is not a Unix socket") == true)
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        let noSocket = #expect(throws: StartUpError.self) {
            try ActivatedSockets.check(.init(descriptor: file, name: ""))
        }
        #expect(noSocket?.problem.contains("descriptor \(file) is not a Unix socket") == true)
        let notOpen = #expect(throws: StartUpError.self) {
            try ActivatedSockets.check(.init(descriptor: 1_000_000, name: ""))
        }
        #expect(notOpen?.problem.contains("is not open") == true)
    }

    @Test("the variables are gone once they were read, also when they were wrong")
    func variables() async {
        await #expect(processExitsWith: .success) {
            for count in ["0", "nonsense"] {
                setenv("LISTEN_PID", String(getpid()), 1)
                setenv("LISTEN_FDS", count, 1)
                setenv("LISTEN_FDNAMES", "", 1)
                _ = try? ActivatedSockets.take(from: ProcessInfo.processInfo.environment)
                for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { precondition(getenv(name) == nil) }
            }
        }
    }
}

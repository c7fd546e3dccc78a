import Contracts
import Foundation
import Glibc
import RPC
import TestProcesses
import Testing

/// Processes that are short of descriptors, and clients that open more connections than there are.
@Suite("short of descriptors", .serialized)
struct DescriptorTests {
    /// Connections on which nothing is said, closed when it goes.
    private final class Crowd {
        private var descriptors: [Int32] = []

        /// Opens that many. The kernel takes them whether or not they are accepted.
        init(_ count: Int, _ connect: () -> Int32) {
            descriptors = (0..<count).map { _ in connect() }.filter { $0 >= 0 }
        }

        var count: Int { descriptors.count }

        func close() {
            for descriptor in descriptors { Glibc.close(descriptor) }
            descriptors = []
        }

        deinit { close() }
    }

    private func connectUnix(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return descriptor
    }

    private func connectTCP(_ samtal: RunningSamtal) throws -> Int32 {
        let port = try #require(UInt16(try samtal.httpAddress().split(separator: ":").last ?? ""))
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }

    /// What a client hears that asks once, or nothing when the connection is closed or nobody answers for ten seconds.
    private func ask(_ samtal: RunningSamtal) throws -> String {
        let descriptor = try connectTCP(samtal)
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let request = Array("GET /healthz HTTP/1.1\r\nHost: samtal.example.se\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else { return "" }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    /// Of one core, while two seconds pass; 1 is all of it.
    private func load(_ samtal: RunningSamtal, _ service: RunningSamtal.Service) async throws -> Double {
        func ticks() throws -> Double {
            let pid = try #require(samtal.child(service)?.identifier)
            let line = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            // What follows the name, in which there may be anything: fields 14 and 15 of all.
            let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
            return (Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0)
        }
        let (before, start) = (try ticks(), ContinuousClock.now)
        try await Task.sleep(for: .seconds(2))
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return (try ticks() - before) / Double(sysconf(Int32(_SC_CLK_TCK))) / seconds
    }

    private func limit(_ samtal: RunningSamtal, _ service: RunningSamtal.Service, to count: Int) async throws {
        let pid = try #require(samtal.child(service)?.identifier)
        let outcome = try await ChildProcess.run("/usr/bin/prlimit", ["--pid", "\(pid)", "--nofile=\(count):\(count)"])
        #expect(outcome.status == 0, "\(outcome.printed)")
    }

    private func openDescriptors(_ samtal: RunningSamtal, _ service: RunningSamtal.Service) throws -> Int {
        let pid = try #require(samtal.child(service)?.identifier)
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }

    private func checkHealth(_ samtal: RunningSamtal, _ service: RunningSamtal.Service) async throws {
        let client = HealthV1.HealthClient(channel: samtal.channel(service))
        #expect(try await client.check(.init(), options: .init(timeout: .seconds(20))).status == .serving)
    }

    @Test("with 64 descriptors and 100 connections each process rests, and others are served")
    func fewDescriptors() async throws {
        try await RunningSamtal.with(descriptors: 64) { samtal in
            let organisation = try await TestOrganisation.create(in: samtal)
            let session = try await organisation.openSession(in: samtal)
            let crowds = [
                Crowd(100) { (try? connectTCP(samtal)) ?? -1 }, Crowd(100) { connectUnix(samtal.socket(.chat)) },
                Crowd(100) { connectUnix(samtal.socket(.retention)) },
            ]
            #expect(crowds.allSatisfy { $0.count == 100 })
            for service in RunningSamtal.Service.allCases {
                let load = try await load(samtal, service)
                #expect(load < 0.2, "\(service) used \(load) of a core")
                #expect(try openDescriptors(samtal, service) <= 64)
            }
            // Who was there before, and who comes after.
            #expect(try await samtal.chat.getSession(.init(sessionID: session)).sessionID == session)
            #expect(try ask(samtal).hasPrefix("HTTP/1.1 200 "))
            #expect(samtal.child(.gateway)?.printed.contains(#""bound":"maximumConnections"#) == true)
            #expect(samtal.child(.chat)?.printed.contains("connection refused") == true)
            for crowd in crowds { crowd.close() }
        }
    }

    @Test(
        "a process whose descriptors are all used stops accepting for a moment at a time, says so, and goes on later",
        arguments: [RunningSamtal.Service.gateway, .chat])
    func noDescriptors(service: RunningSamtal.Service) async throws {
        try await RunningSamtal.with { samtal in
            try await checkHealth(samtal, service)
            let before = try openDescriptors(samtal, service)
            try await limit(samtal, service, to: before + 5)
            let crowd = Crowd(100) {
                service == .gateway ? (try? connectTCP(samtal)) ?? -1 : connectUnix(samtal.socket(service))
            }
            try await eventually("it says so", within: .seconds(60)) {
                samtal.child(service)?.printed.contains("accepting paused") == true
            }
            let load = try await load(samtal, service)
            #expect(load < 0.2, "\(service) used \(load) of a core")
            // Whoever is connected does not notice.
            try await checkHealth(samtal, service)
            let lines = samtal.child(service)?.printed.components(separatedBy: "accepting paused").count ?? 0
            #expect(lines < 40)
            crowd.close()
            try await eventually("it accepts again", within: .seconds(60)) {
                guard service == .gateway else { return try openDescriptors(samtal, service) < before + 3 }
                return try ask(samtal).hasPrefix("HTTP/1.1 200 ")
            }
            if service != .gateway {
                let again = samtal.newChannel(service)
                let client = HealthV1.HealthClient(channel: again)
                let answer = try await client.check(.init(), options: .init(timeout: .seconds(20), waitForReady: true))
                #expect(answer.status == .serving)
                await again.close()
            }
            // Written every fifteen seconds, to a file, for which there was no descriptor either.
            let metric = service == .gateway ? "http_server_accept_pauses_total " : "rpc_server_accept_pauses_total "
            try await eventually("it is counted", within: .seconds(60)) {
                // Its first time may have been one of those.
                let file = "\(samtal.data)/run/\(service.rawValue).prom"
                guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return false }
                let line = text.split(separator: "\n").first { $0.hasPrefix(metric) }
                return (line?.dropFirst(metric.count)).flatMap { Double($0) } ?? 0 > 0
            }
        }
    }
}

import ArgumentParser
import Foundation
import RPC
import ServiceLifecycle
import Testing

@testable import ServiceKit

/// Can't be stopped: what a second signal is for.
private struct Stubborn: Service {
    func run() async throws {
        kill(getpid(), SIGTERM)
        while true {
            // Cancelled or not; each round asks again.
            try? await Task.sleep(for: .milliseconds(10))
            if Task.isCancelled { kill(getpid(), SIGTERM) }
        }
    }
}

@Suite("The process of a service", .timeLimit(.minutes(1)))
struct ProcessTests {
    @Test("a second signal ends the process at once")
    func secondSignal() async {
        await #expect(processExitsWith: .exitCode(128 + SIGTERM)) {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let settings = try ServiceSettings(
                name: "chat",
                options: ServiceOptions.parse(["--data", folder.path, "--region", "se", "--threads", "1"]),
                environment: [:])
            try await ServiceRunner.serve(settings) { _ in ServiceParts(handlers: [], background: [Stubborn()]) }
        }
    }

    @Test("what keeps a service from starting is one line on standard error, and exit code 1")
    func startUpError() async throws {
        let result = try #require(
            await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
                do {
                    let options = try ServiceOptions.parse(
                        ["--data", "/proc/none", "--region", "se", "--peer", "7=backend"])
                    try await ServiceRunner.run(name: "chat", options: options) { _ in ServiceParts(handlers: []) }
                } catch let code as ExitCode {
                    exit(code.rawValue)
                }
            })
        let lines = String(decoding: result.standardErrorContent, as: UTF8.self).split(separator: "\n")
        let own = lines.filter { $0.hasPrefix("samtal-chat: ") }
        #expect(own.count == 1)
        #expect(own.first?.contains("cannot make the folder /proc/none") == true)
    }

    @Test("a service's process dumps no core, makes files for itself alone, and may open all it is allowed to")
    func settings() async {
        await #expect(processExitsWith: .success) {
            try ProcessSettings.apply()
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            precondition(limit.rlim_cur == 0 && limit.rlim_max == 0)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            precondition(limit.rlim_cur == limit.rlim_max)
            precondition(umask(0) == 0o077)
        }
    }
}

package import Contracts
import Foundation
import Logging
import NIOPosix
package import RPC
import Synchronization

/// The four processes on a data folder of their own, as Scripts/run starts them.
package final class RunningSamtal: Sendable {
    package enum Service: String, CaseIterable, Sendable { case identity, retention, chat, gateway }

    /// Holds the data folder, the logs and whatever a test writes; removed by `stop`.
    package let folder: String
    private let children = Mutex<[Service: ChildProcess]>([:])
    private let channels: [Service: RPCChannel]
    /// Descriptors that each process may have open; nil: as many as this one.
    private let descriptors: Int?
    /// What each process declares with --region.
    private let regions: [Service: String]
    private let retentionOptions: [String]
    /// What all processes take the machine's clock to be; nil: as it is.
    package let clock: TestClock?
    /// Options of the gateway's own.
    private let gatewayOptions: [String]
    /// Options of chat's own.
    private let chatOptions: [String]
    private let disks = Mutex<[Service: SmallDisk]>([:])
    /// The latest sign-in of an administrator, by organisation: what makes the codes of the next.
    let signIns = Mutex<[String: IdentityV1.SignInResponse]>([:])

    package let data: String
    package func socket(_ service: Service) -> String { "\(data)/run/\(service.rawValue).sock" }
    package func log(_ service: Service) -> String { "\(folder)/\(service.rawValue).log" }
    package func child(_ service: Service) -> ChildProcess? { children.withLock { $0[service] } }
    /// The service's own disk, if it was given one.
    package func disk(_ service: Service) -> SmallDisk? { disks.withLock { $0[service] } }

    /// What a process declares that isn't given another one.
    package static let region = "se-stockholm-1"

    private init(
        data: String?, descriptors: Int?, regions: [Service: String], gatewayOptions: [String],
        retentionOptions: [String], chatOptions: [String], clock: TestClock?
    ) throws {
        self.retentionOptions = retentionOptions
        self.clock = clock
        self.regions = regions
        self.gatewayOptions = gatewayOptions
        self.chatOptions = chatOptions
        self.descriptors = descriptors
        // Short, since the path of a Unix socket holds 107 bytes.
        folder = "/tmp/st-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let data = data ?? "\(folder)/data"
        self.data = data
        channels = Dictionary(
            uniqueKeysWithValues: Service.allCases.map { service in
                (service, Self.newChannel("\(data)/run/\(service.rawValue).sock", service))
            })
    }

    /// Runs `body` with the services up, and ends and removes everything afterwards, also when it fails.
    ///
    /// - Parameters:
    ///   - data: the data folder, which is kept; nil: one in the test's own folder.
    ///   - small: services whose folders are disks of so many kilobytes.
    ///   - descriptors: that each process may have open.
    ///   - gatewayOptions: besides those that every test needs.
    ///   - retentionOptions: likewise.
    ///   - chatOptions: likewise.
    ///   - clock: that all of them go by.
    ///   - regions: that some declare instead of the usual one.
    package static func with(
        _ services: [Service] = Service.allCases, data: String? = nil, small: [Service: Int] = [:],
        descriptors: Int? = nil, regions: [Service: String] = [:], gatewayOptions: [String] = [],
        retentionOptions: [String] = ["--allow-unsafe-key-medium"], chatOptions: [String] = [],
        clock: TestClock? = nil, _ body: (RunningSamtal) async throws -> Void
    ) async throws {
        let samtal = try RunningSamtal(
            data: data, descriptors: descriptors, regions: regions, gatewayOptions: gatewayOptions,
            retentionOptions: retentionOptions, chatOptions: chatOptions, clock: clock)
        do {
            for (service, kilobytes) in small {
                let disk = try SmallDisk(on: "\(samtal.data)/\(service.rawValue)", kilobytes: kilobytes)
                samtal.disks.withLock { $0[service] = disk }
            }
            for service in services { try samtal.launch(service) }
            for service in services { try await samtal.waitUntilServing(service) }
            try await body(samtal)
        } catch {
            for service in Service.allCases where samtal.child(service) != nil {
                print("samtal-\(service.rawValue):", samtal.child(service)?.printed.suffix(2000) ?? "")
            }
            await samtal.stop()
            throw error
        }
        await samtal.stop()
    }

    /// - Parameter region: what it declares from now on; nil: what it did.
    package func start(_ service: Service, region: String? = nil) async throws {
        try launch(service, region: region)
        try await waitUntilServing(service)
    }

    private func launch(_ service: Service, region: String? = nil) throws {
        var arguments = ["--data", data, "--region", region ?? regions[service] ?? Self.region]
        // The tests' folder may lie in an overlay; what is said of that is tested where the medium is chosen.
        if service == .retention { arguments += retentionOptions }
        if service == .chat { arguments += chatOptions }
        if service == .gateway {
            arguments += ["--http", "127.0.0.1:0", "--http-address-file", addressFile] + gatewayOptions
        }
        var executable = "\(ChildProcess.folder)/samtal-\(service.rawValue)"
        if let descriptors {
            arguments.insert(contentsOf: ["--nofile=\(descriptors):\(descriptors)", executable], at: 0)
            executable = "/usr/bin/prlimit"
        }
        let child = try ChildProcess(
            executable, arguments, log: log(service), environment: clock?.environment ?? [:])
        children.withLock { $0[service] = child }
    }

    private func waitUntilServing(_ service: Service) async throws {
        try await eventually("\(service.rawValue) serves", within: .seconds(60)) {
            if let status = self.child(service)?.exitStatus {
                throw ChildProcessError.timedOut("\(service.rawValue) ended with \(status)")
            }
            // Its RPC socket may serve before its HTTP port, which is in that file, does.
            if service == .gateway, !FileManager.default.fileExists(atPath: self.addressFile) { return false }
            let answer = try? await HealthV1.HealthClient(channel: self.channel(service))
                .check(.init(), options: .init(timeout: .seconds(2)))
            return answer?.status == .serving
        }
    }

    /// Ends one process: SIGKILL as a crash would, SIGTERM as an operator would.
    package func end(_ service: Service, signal: Int32) async throws {
        guard let child = child(service) else { return }
        child.signal(signal)
        _ = try await child.wait()
    }

    package func channel(_ service: Service) -> RPCChannel {
        // Every service has its channel from the start.
        channels[service] ?? newChannel(service)
    }

    /// With a connection of its own; whoever asks for it closes it.
    package func newChannel(_ service: Service) -> RPCChannel { Self.newChannel(socket(service), service) }

    private static func newChannel(_ path: String, _ service: Service) -> RPCChannel {
        RPCChannel(
            socketPath: path, name: service.rawValue, group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    package var identity: IdentityV1.IdentityServiceClient { .init(channel: channel(.identity)) }
    package var chat: ChatV1.ChatServiceClient { .init(channel: channel(.chat)) }
    package var retention: RetentionV1.RetentionServiceClient { .init(channel: channel(.retention)) }

    private var addressFile: String { "\(folder)/gateway.http" }

    /// http://HOST:PORT of the gateway, which chose a free port.
    package func httpAddress() throws -> String {
        "http://"
            + (try String(contentsOfFile: addressFile, encoding: .utf8))
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func stop() async {
        for service in Service.allCases.reversed() { child(service)?.signal(SIGTERM) }
        for service in Service.allCases {
            guard let child = child(service) else { continue }
            if (try? await child.wait()) == nil { child.signal(SIGKILL) }
        }
        for channel in channels.values { await channel.close() }
        for disk in disks.withLock({ $0.values.map(\.self) }) { disk.unmount() }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

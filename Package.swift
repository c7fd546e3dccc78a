// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is compiled the same way: Swift 6 mode, explicit import levels, no warnings.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// For what is run for every call, and for what it calls: an async function goes on where its caller is (SE-0461), so that
/// a handler that waits for nothing costs no look at which executor it belongs to.
let perCallSettings: [SwiftSetting] = settings + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// A deployable service: rules in Core, RPC handlers and stores in Server, a thin executable in Main.
func service(
    _ name: String, folder: String, executable: String, core: [Target.Dependency], server: [Target.Dependency],
    serverResources: [Resource] = [], serverSettings: [SwiftSetting] = settings
) -> [Target] {
    [
        .target(name: "\(name)Core", dependencies: core, path: "Services/\(folder)/Core", swiftSettings: settings),
        .target(
            name: "\(name)Server", dependencies: [.target(name: "\(name)Core")] + server,
            path: "Services/\(folder)/Server", resources: serverResources, swiftSettings: serverSettings),
        .executableTarget(
            name: executable,
            dependencies: [
                .target(name: "\(name)Server"), "ServiceKit", "Storage", "StorageStatus",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Services/\(folder)/Main", swiftSettings: settings),
    ]
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)", exclude: exclude,
        swiftSettings: settings)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")

/// What is fuzzed, and what that takes.
let fuzzed: [Target.Dependency] =
    ["RPC", "ProtobufC", "Contracts", "InteropContracts", logging] + nio
    + [.product(name: "NIOEmbedded", package: "swift-nio")]

let package = Package(
    name: "samtal",
    products: [
        .executable(name: "samtal", targets: ["samtal"]),
        .executable(name: "samtal-identity", targets: ["samtal-identity"]),
        .executable(name: "samtal-chat", targets: ["samtal-chat"]),
        .executable(name: "samtal-retention", targets: ["samtal-retention"]),
        .executable(name: "samtal-gateway", targets: ["samtal-gateway"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),

        // Generated C (Scripts/generate-protos).
        .target(name: "CRPCContracts", dependencies: ["CProtobufC"]),
        .target(name: "CContracts", dependencies: ["CProtobufC", "CRPCContracts"]),

        // What the services share.
        .target(
            name: "ProtobufC", dependencies: ["CProtobufC", .product(name: "NIOCore", package: "swift-nio")],
            exclude: ["README.md"], swiftSettings: settings),
        .target(
            name: "RPC",
            dependencies: ["ProtobufC", "CRPCContracts", "CProtobufC", "CNghttp2", "CZlib", logging] + nio,
            exclude: ["README.md"], swiftSettings: perCallSettings),
        .target(
            name: "Contracts", dependencies: ["RPC", "ProtobufC", "CProtobufC", "CContracts", "CRPCContracts"],
            swiftSettings: perCallSettings),
        .target(
            name: "Storage", dependencies: [grdb, .product(name: "GRDBSQLite", package: "GRDB.swift"), logging],
            exclude: ["README.md"], swiftSettings: settings),
        .target(name: "StorageStatus", dependencies: ["Storage", "RPC", "ServiceKit"], swiftSettings: settings),
        .target(name: "Privacy", dependencies: [crypto], exclude: ["README.md"], swiftSettings: settings),
        .target(name: "KeySlots", dependencies: ["CLinux", crypto], exclude: ["README.md"], swiftSettings: settings),
        // Linked into every service: wipes memory as it is freed.
        .target(name: "CWipingFree"),
        .target(
            name: "ServiceKit",
            dependencies: [
                "RPC", "Contracts", "ProtobufC", "Privacy", "CLinux", "CWipingFree", logging, metrics, lifecycle,
                crypto,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio,
            exclude: ["README.md"], swiftSettings: settings),
        // Copies of what the services keep: how they travel, and what a backup's folder says of itself.
        .target(
            name: "Backup", dependencies: ["RPC", "Contracts", "ServiceKit", logging, crypto],
            swiftSettings: settings),
        .executableTarget(
            name: "samtal",
            dependencies: [
                "RPC", "Contracts", "Privacy", "ServiceKit", "Backup", "RetentionCore", logging, crypto,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        // Tests.
        tests("ProtobufC", ["ProtobufC", "Contracts", "RPC", "CProtobufC", "CContracts"]),
        tests("RPC", ["RPC", "ProtobufC", logging] + nio),
        tests("Fuzz", fuzzed, exclude: ["Driver", "Seeds", "README.md"]),
        tests("Contracts", ["Contracts", "RPC", "ProtobufC"]),
        tests("Storage", ["Storage", "StorageStatus", "RPC", "TestProcesses", grdb, logging]),
        tests("Privacy", ["Privacy", crypto]),
        tests("KeySlots", ["KeySlots", "TestProcesses"]),
        tests(
            "ServiceKit",
            ["ServiceKit", "Contracts", "Privacy", "RPC", logging, metrics, lifecycle, crypto, argumentParser] + nio),
        tests(
            "Identity",
            [
                "IdentityCore", "IdentityServer", "ServiceKit", "Contracts", "RPC", "Storage", "Privacy", grdb, logging,
                crypto,
            ] + nio),
        tests(
            "Chat",
            [
                "ChatCore", "ChatServer", "ServiceKit", "Contracts", "RPC", "Storage", "Privacy", "TestProcesses", grdb,
                logging, lifecycle,
            ] + nio),
        tests(
            "Retention",
            [
                "RetentionCore", "RetentionServer", "ServiceKit", "Contracts", "RPC", "Storage", "Privacy", "KeySlots",
                "TestProcesses", grdb, logging, crypto, lifecycle,
            ] + nio),
        tests(
            "Gateway",
            [
                "GatewayCore", "GatewayServer", "ServiceKit", "Contracts", "RPC", "ProtobufC", "Privacy", logging,
                crypto, .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio),
        // Whole processes, started from the executables beside the test bundle.
        .target(
            name: "TestProcesses", dependencies: ["RPC", "Contracts", logging] + nio, path: "Tests/Processes",
            exclude: ["Clock"], swiftSettings: settings),
        // A server to be attacked, in a process of its own, and the attacks.
        .executableTarget(
            name: "hostile-victim", dependencies: ["RPC", "ProtobufC", logging] + nio, path: "Tests/HostileVictim",
            swiftSettings: settings),
        tests("Hostile", ["TestProcesses", "hostile-victim", "RPC", "CZlib", logging] + nio),
        tests("Integration", ["TestProcesses", "Contracts", "RPC", "RetentionCore", "ProtobufC", "Backup"]),
        tests(
            "Erasure",
            [
                "TestProcesses", "Contracts", "RPC", "RetentionCore", "ChatCore", "KeySlots", "Privacy", crypto, grdb,
            ]),
        // gRPC's own interop and benchmark contracts, generated (Scripts/generate-protos).
        .target(
            name: "CInteropContracts", dependencies: ["CProtobufC", "CRPCContracts"],
            path: "Tests/InteropContracts/C"),
        .target(
            name: "InteropContracts",
            dependencies: ["RPC", "ProtobufC", "CProtobufC", "CInteropContracts", "CRPCContracts"],
            path: "Tests/InteropContracts/Generated", swiftSettings: perCallSettings),
        // gRPC's interoperability tests: a server for the clients of others, a client for their servers.
        .executableTarget(
            name: "rpc-interop",
            dependencies: [
                "RPC", "InteropContracts", "ProtobufC", logging, argumentParser,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ] + nio,
            path: "Tests/RPCInterop", swiftSettings: perCallSettings),
        tests(
            "Interop", ["TestProcesses", "rpc-interop", "InteropContracts", "RPC", logging] + nio,
            exclude: [
                "README.md", "client.py", "cpp", "interop_calls.py", "interop_checks.py", "interop_client.py",
                "interop_messages.py", "interop_server.py", "interop_stubs.py", "requirements.txt",
            ]),
        tests(
            "Oracle", ["Contracts", "InteropContracts", "ProtobufC", "RPC"],
            exclude: [
                "README.md", "requirements.txt", "contracts.py", "oracle.py", "ours.py", "strategies.py", "wire.py",
            ]),
        tests(
            "Browser", ["TestProcesses", "Contracts", "RPC"],
            exclude: ["browser.py", "pages.py", "requirements.txt", "story.py"]),
    ]
        + service(
            "Identity", folder: "Identity", executable: "samtal-identity",
            core: [crypto],
            server: [
                "RPC", "Contracts", "ServiceKit", "Backup", "Storage", "StorageStatus", "Privacy", grdb, logging,
                lifecycle,
                crypto,
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ])
        + service(
            "Chat", folder: "Chat", executable: "samtal-chat",
            core: ["Privacy", crypto],
            server: [
                "RPC", "Contracts", "ServiceKit", "Backup", "Storage", "StorageStatus", "Privacy", grdb, logging,
                crypto,
                lifecycle,
            ], serverSettings: perCallSettings)
        + service(
            "Retention", folder: "Retention", executable: "samtal-retention",
            core: ["Privacy", crypto],
            server: [
                "RPC", "Contracts", "ServiceKit", "Backup", "Storage", "StorageStatus", "Privacy", "KeySlots",
                "CArchive", grdb,
                logging, metrics, crypto, lifecycle,
            ])
        + service(
            "Gateway", folder: "Gateway", executable: "samtal-gateway",
            core: ["Privacy", crypto],
            server: [
                "RPC", "Contracts", "ServiceKit", "ProtobufC", "Privacy", hummingbird, hummingbirdCore, lifecycle,
                logging, crypto,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio,
            serverResources: [.embedInCode("Web")]),
    swiftLanguageModes: [.v6]
)

// With SAMTAL_FUZZ set (Scripts/fuzz) they are an executable for libFuzzer, which nothing else builds.
if Context.environment["SAMTAL_FUZZ"] != nil {
    package.targets.removeAll { $0.name == "FuzzTests" }
    package.targets.append(
        .executableTarget(
            name: "samtal-fuzz", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["Seeds", "Tests", "README.md"],
            swiftSettings: settings))
}

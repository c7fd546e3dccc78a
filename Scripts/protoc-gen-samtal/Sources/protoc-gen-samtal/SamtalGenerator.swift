internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// From the .proto files of one Swift module, the Swift of that module.
///
/// protoc's parameter is `module=` and the name of a ``Module``. Every file of the module is generated in one run, because
/// the files of one package share a namespace, and the tables span all packages.
struct SamtalGenerator: CodeGenerator {
    /// Proto3 `optional` is not supported; it is declared so that it is refused here, with the line it stands on.
    var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] { [.proto3Optional] }

    var customOptionExtensions: [any AnyMessageExtension] {
        [
            Samtal_Annotations_V1_Extensions_method, Samtal_Annotations_V1_Extensions_privacy,
            Samtal_Annotations_V1_Extensions_kind,
        ]
    }

    func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter, protoCompilerContext: any ProtoCompilerContext,
        generatorOutputs: any GeneratorOutputs
    ) throws {
        let module = try Module(parameter: parameter)
        try Checks.run(files)
        for (package, files) in Package.grouped(files) {
            let source = MessagesFile(package: package, files: files, module: module).source
            try generatorOutputs.add(fileName: "\(package.namespace).swift", contents: source)
            for service in files.flatMap(\.services) {
                try generatorOutputs.add(
                    fileName: "\(package.namespace).\(service.name).swift",
                    contents: ServiceFile(package: package, service: service, module: module).source)
            }
        }
        let services = files.flatMap(\.services).filter(\.isOfSamtal)
        if !services.isEmpty {
            try generatorOutputs.add(
                fileName: "AccessTable.swift", contents: AccessTableFile(services: services).source)
            try generatorOutputs.add(fileName: "HTTPRoutes.swift", contents: HTTPRoutesFile(services: services).source)
        }
    }
}

/// The Swift module that is being generated.
enum Module: String, CaseIterable {
    /// google.* and grpc.*, beside the runtime.
    case rpc = "RPC"
    /// samtal.*
    case contracts = "Contracts"
    /// grpc.testing and oracle.*, for tests alone.
    case interop = "InteropContracts"

    init(parameter: any CodeGeneratorParameter) throws {
        try self.init(name: parameter.parsedPairs.first { $0.key == "module" }?.value ?? "")
    }

    init(name: String) throws {
        guard let module = Module(rawValue: name) else {
            let names = Module.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(description: "the module is \"\(name)\": name one of \(names)")
        }
        self = module
    }

    /// The enum of its .proto files.
    var fileTable: String {
        switch self {
        case .rpc: "RPCFiles"
        case .contracts: "ContractsFiles"
        case .interop: "InteropFiles"
        }
    }

    /// The generated C that the module's structs are converted from.
    var cModule: String {
        switch self {
        case .rpc: "CRPCContracts"
        case .contracts: "CContracts"
        case .interop: "CInteropContracts"
        }
    }

    /// The `maxRequestBytes` of a method whose contract says nothing.
    var maximumRequestBytes: UInt32 {
        switch self {
        case .rpc, .contracts: 4096
        // gRPC's own default: the interop cases and the benchmarks send payloads.
        case .interop: 4 * 1024 * 1024
        }
    }

    /// The `defaultDeadline` of a unary method whose contract says nothing, as a Swift expression of type `Duration?`.
    var unaryDeadline: String {
        switch self {
        case .rpc, .contracts: ".seconds(10)"
        // As in gRPC, where a call without a deadline has none.
        case .interop: "nil"
        }
    }
}

/// An error that protoc prints as it is.
struct Failure: Error, CustomStringConvertible {
    var description: String
}

/// A protobuf package and the Swift namespace it becomes.
struct Package: Hashable {
    var name: String

    private var acronyms: [String: String] { ["rpc": "RPC", "grpc": "GRPC"] }

    /// `samtal.chat.v1` → `ChatV1`, `google.rpc` → `GoogleRPC`, `grpc.testing` → `GRPCTesting`.
    var namespace: String {
        var components = name.split(separator: ".").map(String.init)
        // Of two components both stay: one alone may be the name of a module, as `Testing` is.
        if let first = components.first, first == "samtal" || first == "grpc", components.count > 2 {
            components.removeFirst()
        }
        return components.map { acronyms[$0] ?? SwiftName.upperCamel($0) }.joined()
    }

    /// `samtal.chat.v1` → `chat`: the service process that serves the package.
    var serviceName: String {
        let components = name.split(separator: ".")
        return components.count > 1 ? String(components[1]) : name
    }

    /// In the order of the first file of each package.
    static func grouped(_ files: [FileDescriptor]) -> [(Package, [FileDescriptor])] {
        var groups: [(Package, [FileDescriptor])] = []
        for file in files {
            let package = Package(name: file.package)
            if let index = groups.firstIndex(where: { $0.0 == package }) {
                groups[index].1.append(file)
            } else {
                groups.append((package, [file]))
            }
        }
        return groups
    }
}

extension FileDescriptor {
    /// Whether the project's own rules hold for it.
    var isOfSamtal: Bool { package.hasPrefix("samtal.") }
}

extension ServiceDescriptor {
    var isOfSamtal: Bool { file.isOfSamtal }
}

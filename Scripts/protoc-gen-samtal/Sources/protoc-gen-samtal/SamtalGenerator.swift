internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// From the .proto files of one Swift module, the Swift of that module.
///
/// protoc's parameter is `module=RPC` or `module=Contracts`. Every file of the module is generated in one run, because
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
enum Module: String {
    /// google.* and grpc.*, beside the runtime.
    case rpc = "RPC"
    /// samtal.*
    case contracts = "Contracts"

    init(parameter: any CodeGeneratorParameter) throws {
        let name = parameter.parsedPairs.first { $0.key == "module" }?.value ?? Module.contracts.rawValue
        guard let module = Module(rawValue: name) else {
            throw Failure(description: "module=\(name): give module=RPC or module=Contracts")
        }
        self = module
    }

    /// The generated C that the module's structs are converted from.
    var cModule: String {
        switch self {
        case .rpc: "CRPCContracts"
        case .contracts: "CContracts"
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

    /// `samtal.chat.v1` → `ChatV1`, `google.rpc` → `GoogleRPC`.
    var namespace: String {
        var components = name.split(separator: ".").map(String.init)
        if let first = components.first, first == "samtal" || first == "grpc", components.count > 1 {
            components.removeFirst()
        }
        return components.map { $0 == "rpc" ? "RPC" : SwiftName.upperCamel($0) }.joined()
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

internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// What is wrong with a declaration, and what to do about it.
struct Violation: Comparable {
    var file: String
    var line: Int
    /// The declaration's full name.
    var name: String
    var problem: String
    var remedy: String

    init(_ declaration: some ProvidesSourceCodeLocation & Named, _ problem: String, remedy: String) {
        self.init(declaration, name: declaration.fullName, problem, remedy: remedy)
    }

    init(_ declaration: some ProvidesSourceCodeLocation & Named, name: String, _ problem: String, remedy: String) {
        self.file = declaration.fileName
        self.line = declaration.line
        self.name = name
        self.problem = problem
        self.remedy = remedy
    }

    var description: String { "\(file):\(line): \(name) \(problem): \(remedy)" }

    static func < (left: Violation, right: Violation) -> Bool {
        (left.file, left.line, left.name) < (right.file, right.line, right.name)
    }
}

/// A declaration that can be pointed at.
protocol Named {
    var fullName: String { get }
    var fileName: String { get }
}

extension Descriptor: Named {
    var fileName: String { file.name }
}

extension FieldDescriptor: Named {
    var fileName: String { file.name }
}

extension MethodDescriptor: Named {
    var fullName: String { "\(service.fullName).\(name)" }
    var fileName: String { file.name }
}

/// The rules that every contract keeps. All violations are reported at once.
enum Checks {
    static func run(_ files: [FileDescriptor]) throws {
        var violations: [Violation] = []
        for file in files {
            for message in file.messages.flatMap(\.withNested) {
                violations += ShapeChecks.violations(of: message)
                if file.isOfSamtal {
                    violations += PrivacyChecks.violations(of: message)
                }
            }
            for method in file.services.flatMap(\.methods) {
                violations += MethodChecks.violations(of: method)
            }
        }
        violations += RouteChecks.duplicates(files.flatMap(\.services).flatMap(\.methods))
        if !violations.isEmpty {
            throw Failure(description: violations.sorted().map(\.description).joined(separator: "\n"))
        }
    }
}

extension Descriptor {
    /// Itself and every message declared inside it; map entries are not declared by anyone.
    fileprivate var withNested: [Descriptor] {
        [self] + messages.filter { !$0.options.mapEntry }.flatMap(\.withNested)
    }
}

import Contracts
import Foundation
import RPC
import Testing

/// The .proto files that reflection serves.
@Suite("The file tables")
struct FileTableTests {
    @Test("protoc accepts each table as a whole set of files, and finds in it what the table says")
    func accepted() throws {
        for files in [RPCFiles.all, ContractsFiles.all] {
            try TemporaryFolder.with { folder in
                let set = folder.appendingPathComponent("set")
                try Data(files.flatMap { [0x0a] + varint($0.descriptor.count) + $0.descriptor }).write(to: set)
                let outcome = try Repository.run(
                    "protoc",
                    ["--descriptor_set_in=\(set.path)", "--descriptor_set_out=/dev/null"] + files.map(\.name))
                #expect(outcome.status == 0, "\(outcome.output)")
            }
            let known = Set(files.map(\.name))
            #expect(files.allSatisfy { known.isSuperset(of: $0.dependencies) })
            let symbols = files.flatMap(\.symbols)
            #expect(Set(symbols).count == symbols.count)
            #expect(Set(symbols).isSuperset(of: files.flatMap(\.services)))
        }
    }

    @Test("every method that can be called is declared in a file of the table, with its options")
    func methods() {
        let symbols = Set(ContractsFiles.all.flatMap(\.symbols))
        for path in AccessTable.rules.keys {
            #expect(symbols.contains(String(path.dropFirst().replacing("/", with: "."))), "\(path)")
        }
        #expect(
            ContractsFiles.all.flatMap(\.extensions).contains(
                ProtoFile.Extension(of: "google.protobuf.MethodOptions", number: 50801)))
    }

    private func varint(_ number: Int) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest > 0x7f {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

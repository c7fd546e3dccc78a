import Contracts
import Foundation
import ProtobufC
import RPC
import Testing

@Suite("Every message")
struct RoundTripTests {
    @Test("is the same after protobuf and after JSON, with every field set", arguments: EveryMessage.types.indices)
    func roundTrip(index: Int) throws {
        for member in 0..<4 {
            try check(EveryMessage.types[index], SampleJSON(member: member))
        }
    }

    private func check<Message: ProtobufMessage>(_ type: Message.Type, _ sample: SampleJSON) throws {
        let json = Array(sample.object(Message.descriptor).utf8)
        let message = try Message(jsonUTF8: json)
        let hasFields = json != Array("{}".utf8)
        #expect((message != Message()) == hasFields)
        #expect(message.serialized().isEmpty != hasFields)

        #expect(try Message(serialized: message.serialized()) == message)
        #expect(try Message(jsonUTF8: message.jsonUTF8()) == message)
        #expect(try Message.descriptor.serialized(fromJSON: json, overrides: []) == message.serialized())
        #expect(try Message.descriptor.json(fromSerialized: message.serialized()) == message.jsonUTF8())
    }

    @Test("is tested here")
    func complete() throws {
        let tested = Set(EveryMessage.types.map { $0.descriptor.name })
        for package in ["identity", "chat", "retention"] {
            let file = Repository.root.appendingPathComponent("Protos/samtal/\(package)/v1/\(package).proto")
            let source = try String(contentsOf: file, encoding: .utf8)
            for match in source.matches(of: /(?m)^message (\w+)/) {
                #expect(tested.contains("samtal.\(package).v1.\(match.1)"))
            }
        }
    }
}

import ChatCore
import RPC
import Storage
import Testing

@testable import ChatServer

@Suite("What goes wrong, as a status")
struct StatusTests {
    @Test("a store that is behind is RESOURCE_EXHAUSTED, a full one UNAVAILABLE, a damaged one DATA_LOSS")
    func storage() {
        func code(_ code: StorageError.Code) -> RPCError.Code? {
            (Status.of(StorageError(code, "a message for the log")) as? RPCError)?.code
        }
        #expect(code(.overloaded) == .resourceExhausted)
        #expect(code(.full) == .unavailable)
        #expect(code(.busy) == .unavailable)
        #expect(code(.closed) == .unavailable)
        #expect(code(.corrupt) == .dataLoss)
        // The runtime answers these with INTERNAL, and logs their type.
        for other in [StorageError.Code.locked, .newerSchema, .other] { #expect(code(other) == nil) }
    }

    @Test("an error of chat keeps its reason and names its field")
    func chat() {
        let invalid = Status.status(.invalid("title", "is odd"))
        #expect(invalid == .invalid("title", "is odd"))
        let missing = Status.status(.sessionNotFound)
        #expect(missing.code == .notFound)
        #expect(missing.reason == "SESSION_NOT_FOUND")
        #expect(missing.fields.map(\.field) == ["session_id"])
        let cut = Status.status(.resume)
        #expect(cut.code == .outOfRange)
        #expect(cut.reason == "RESUME")
        #expect(cut.fields.isEmpty)
    }

    @Test("a status stays what it is, and giving up is CANCELLED")
    func others() {
        let refusal = RPCError(.failedPrecondition, "no agreement", reason: "AGREEMENT_REQUIRED")
        #expect(Status.of(refusal) as? RPCError == refusal)
        #expect((Status.of(CancellationError()) as? RPCError)?.code == .cancelled)
    }
}

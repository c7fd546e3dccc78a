import RPC
import Storage
import StorageStatus
import Testing

@Suite("What callers are told when a store fails")
struct StorageStatusTests {
    @Test("each cause has one status and one reason, and the message names the service")
    func causes() {
        let expected: [(StorageError.Code, RPCError.Code, String)] = [
            (.overloaded, .resourceExhausted, "STORE_OVERLOADED"), (.busy, .unavailable, "STORE_BUSY"),
            (.full, .unavailable, "STORE_FULL"), (.closed, .unavailable, "STOPPING"),
            (.corrupt, .dataLoss, "STORE_DAMAGED"),
        ]
        for (cause, code, reason) in expected {
            let status = RPCError(StorageError(cause, "a sentence for the log"), of: "chat")
            #expect(status?.code == code)
            #expect(status?.reason == reason)
            #expect(status?.message.contains("chat") == true)
            #expect(status?.message.contains("log") == false)
            #expect(status?.isOfStore == true)
        }
    }

    @Test("a full queue names its bound and the service whose it is")
    func bounds() {
        let error = StorageError(.overloaded, "a sentence", bound: .waitingWritesOfAccount)
        #expect(RPCError(error, of: "chat")?.metadata["bound"] == "chat-waiting-writes-of-account")
        #expect(RPCError.storeBounds(of: "chat") == ["chat-waiting-writes", "chat-waiting-writes-of-account"])
    }

    @Test("what is a fault of the service is no status of its own")
    func faults() {
        for cause in [StorageError.Code.locked, .newerSchema, .other] {
            #expect(RPCError(StorageError(cause, "a sentence"), of: "chat") == nil)
        }
        #expect(!RPCError(.unavailable, "chat is not reachable", reason: "NEIGHBOUR_UNAVAILABLE").isOfStore)
    }
}

import ChatServer
import Contracts
import Foundation
import RPC
import Synchronization
import Testing

@Suite("A session that is there again after its erasure")
struct ErasedAgainTests {
    @Test("is erased again when retention says that it has a certificate; others stay, and the log counts it")
    func olderFolder() async throws {
        try await World.run { world in
            var (erased, kept) = ("", "")
            try await world.withChat { chat in
                erased = try await chat.session()
                _ = try await chat.ask("Kvar?", in: erased, as: try await chat.join(erased))
                kept = try await chat.session()
            }
            // Chat's folder holds it, retention's ledger has its certificate, and its key is gone.
            world.retention.destroyKey(of: erased)
            world.retention.state.withLock { _ = $0.certified.insert(erased) }
            #expect(try await world.filesHold(Array(erased.utf8)))
            try await world.withChat { chat in
                let refusal = await status { _ = try await chat.client.getSession(.init(sessionID: erased)) }
                #expect(refusal?.reason == "SESSION_NOT_FOUND")
                try await world.eventually("its file is gone") { try await !world.filesHold(Array(erased.utf8)) }
                #expect(try await chat.client.getSession(.init(sessionID: kept)).sessionID == kept)
            }
        }
    }
}

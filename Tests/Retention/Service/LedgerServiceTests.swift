import Contracts
import Foundation
import RPC
import RetentionCore
import RetentionServer
import ServiceKit
import Testing

@Suite("The ledger over the socket")
struct LedgerServiceTests {
    private func erase(_ count: Int, _ retention: RunningRetention) async throws {
        for number in 0..<count {
            let organisation = number.isMultiple(of: 2) ? "org-north" : "org-south"
            try await retention.open("session-\(number)", organisation: organisation)
            try await retention.erase(
                "session-\(number)", instruction: "Ärende \(number)", options: RunningRetention.asOperator)
        }
    }

    @Test("the operator reads the whole chain page by page, and it verifies")
    func wholeChain() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(organisation: "org-north")
                    try await retention.record(organisation: "org-south")
                    try await erase(7, retention)
                    var chain: [Certificate] = []
                    var token = ""
                    var pages = 0
                    repeat {
                        let page = try await retention.certificates(size: 3, token: token)
                        chain += page.certificates.map { Certificate($0) }
                        token = page.nextPageToken
                        pages += 1
                    } while !token.isEmpty
                    #expect(pages == 3)
                    #expect(chain.count == 7)
                    let key = try #require(try await retention.ledgerKey())
                    #expect(CertificateVerifier.verify(chain: chain, key: key) == nil)
                }
                // And it goes on after a restart with the same key.
                try await withRetention(in: folder) { retention in
                    try await retention.open("later")
                    try await retention.erase("later")
                    let chain = try await retention.certificates().certificates.map { Certificate($0) }
                    let key = try #require(try await retention.ledgerKey())
                    #expect(chain.count == 8)
                    #expect(CertificateVerifier.verify(chain: chain, key: key) == nil)
                }
            }
        }
    }

    @Test("the newest come first when that is asked for, page by page, and a token of one order is none of the other")
    func newestFirst() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(organisation: "org-north")
                    try await retention.record(organisation: "org-south")
                    try await erase(7, retention)
                    let south = RunningRetention.asAdministrator(of: "org-south")
                    let first = try await retention.certificates(
                        of: "org-south", size: 2, newestFirst: true, options: south)
                    #expect(first.certificates.map(\.sequence) == [6, 4])
                    let last = try await retention.certificates(
                        of: "org-south", size: 2, token: first.nextPageToken, newestFirst: true, options: south)
                    #expect(last.certificates.map(\.sequence) == [2] && last.nextPageToken.isEmpty)
                    let all = try await retention.certificates(newestFirst: true).certificates
                    #expect(all.map(\.sequence) == [7, 6, 5, 4, 3, 2, 1])
                    let wrong = try await status {
                        try await retention.certificates(of: "org-south", token: first.nextPageToken, options: south)
                    }
                    #expect(wrong?.fields.map(\.field) == ["page_token"])
                }
            }
        }
    }

    @Test("an administrator reads their organisation's certificates and no others")
    func ownCertificates() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record(organisation: "org-north")
                    try await retention.record(organisation: "org-south")
                    try await erase(5, retention)
                    let south = RunningRetention.asAdministrator(of: "org-south")
                    let own = try await retention.certificates(of: "org-south", options: south).certificates
                    #expect(own.map(\.sequence) == [2, 4])
                    #expect(Set(own.map(\.organisationID)) == ["org-south"])
                    let key = try #require(try await retention.ledgerKey())
                    let excerpt = own.map { Certificate($0) }
                    #expect(CertificateVerifier.verify(excerpt: excerpt, key: key) == nil)
                    let other = try await status {
                        try await retention.certificates(of: "org-north", options: south)
                    }
                    #expect(other?.code == .notFound)
                    let all = try await status { try await retention.certificates(options: south) }
                    #expect(all?.code == .invalidArgument)
                }
            }
        }
    }

    @Test(
        "a page token that is none is refused",
        arguments: ["x", "LTE", "MA", "bm9wZQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "///"])
    func pageTokens(token: String) async throws {
        try await withFolder { folder in
            try await withRetention(in: folder) { retention in
                let refusal = try await status { try await retention.certificates(token: token) }
                #expect(refusal?.fields.map(\.field) == ["page_token"])
            }
        }
    }

    @Test("the key is a file of 32 bytes that only its owner may read, and stays the same")
    func keyFile() async throws {
        try await withFolder { folder in
            let path = folder.path + "/ledger-key"
            let first = try LedgerKeyFile.signer(path: path)
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(attributes[.size] as? Int == 32)
            #expect(try LedgerKeyFile.signer(path: path).publicKey == first.publicKey)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["ledger-key"])
        }
    }

    @Test("a key that others can read, that is damaged or that is no file is not used")
    func badKeyFile() async throws {
        try await withFolder { folder in
            let path = folder.path + "/ledger-key"
            _ = try LedgerKeyFile.signer(path: path)
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            #expect(throws: LedgerKeyFile.Problem.self) { try LedgerKeyFile.signer(path: path) }
            for count in [0, 31, 33] {
                try Data(count: count).write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
                #expect(throws: LedgerKeyFile.Problem.self) { try LedgerKeyFile.signer(path: path) }
            }
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.path + "/elsewhere")
            #expect(throws: LedgerKeyFile.Problem.self) { try LedgerKeyFile.signer(path: path) }
        }
    }

    @Test("a ledger is not gone on with under another key")
    func lostKey() async throws {
        try await withFolder { folder in
            try await withChat(ChatPeer(), in: folder) {
                try await withRetention(in: folder) { retention in
                    try await retention.record()
                    try await retention.open("session-1")
                    try await retention.erase("session-1")
                }
            }
            let path = folder.path + "/retention/ledger-key"
            try FileManager.default.removeItem(atPath: path)
            await #expect(throws: StartUpError.self) { try await withRetention(in: folder) { _ in } }
            _ = try LedgerKeyFile.signer(path: path)
            await #expect(throws: StartUpError.self) { try await withRetention(in: folder) { _ in } }
        }
    }
}

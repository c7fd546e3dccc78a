import Crypto
import Foundation
import Glibc
import IdentityServer
import ServiceKit
import Testing

@Suite("The signing key's file")
struct SigningKeyFileTests {
    @Test("the key is made once, readable by its owner alone, and is the same ever after")
    func made() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/signing-key"
            let key = try SigningKeyFile(path: path).loadOrCreate()
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            #expect(try SigningKeyFile(path: path).loadOrCreate().rawRepresentation == key.rawRepresentation)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["signing-key"])
        }
    }

    @Test("a draft that a crash left behind is neither used nor in the way")
    func draft() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/signing-key"
            try Data("half a k".utf8).write(to: URL(fileURLWithPath: path + ".new"))
            _ = try SigningKeyFile(path: path).loadOrCreate()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["signing-key"])
        }
    }

    @Test("a key that other users could read is refused")
    func exposed() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/signing-key"
            _ = try SigningKeyFile(path: path).loadOrCreate()
            for mode: mode_t in [0o640, 0o604, 0o620] {
                #expect(chmod(path, mode) == 0)
                #expect(throws: StartUpError.self) { try SigningKeyFile(path: path).loadOrCreate() }
            }
        }
    }

    @Test("a damaged key is refused and left as it is", arguments: ["", "not a key", "-----BEGIN PRIVATE KEY-----\n"])
    func damaged(_ text: String) async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/signing-key"
            #expect(
                FileManager.default.createFile(
                    atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
            #expect(throws: StartUpError.self) { try SigningKeyFile(path: path).loadOrCreate() }
            let left = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(left == Data(text.utf8))
        }
    }

    @Test("a link to a key elsewhere is not followed, and a folder is no key")
    func indirect() async throws {
        try await TemporaryFolder.with { folder in
            let elsewhere = folder.path + "/elsewhere"
            _ = try SigningKeyFile(path: elsewhere).loadOrCreate()
            let link = folder.path + "/signing-key"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: elsewhere)
            #expect(throws: StartUpError.self) { try SigningKeyFile(path: link).loadOrCreate() }
            #expect(throws: StartUpError.self) { try SigningKeyFile(path: folder.path).loadOrCreate() }
        }
    }
}

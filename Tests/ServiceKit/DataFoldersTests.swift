import Foundation
import Testing

@testable import ServiceKit

@Suite("Data folders")
struct DataFoldersTests {
    @Test("folders are made with the modes they need, whatever the umask")
    func modes() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try DataFolders(root: folder.path + "/a/data", service: "chat").prepare()
        #expect(try folder.mode("a/data") == 0o750)
        #expect(try folder.mode("a/data/run") == 0o750)
        #expect(try folder.mode("a/data/chat") == 0o700)
    }

    @Test("a service's folder that others could read is closed")
    func closed() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let own = folder.path + "/chat"
        try FileManager.default.createDirectory(
            atPath: own, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try DataFolders(root: folder.path, service: "chat").prepare()
        #expect(try folder.mode("chat") == 0o700)
    }

    @Test("a file where a folder should be is an error that names it")
    func notAFolder() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try Data().write(to: URL(fileURLWithPath: folder.path + "/chat"))
        let error = #expect(throws: StartUpError.self) {
            try DataFolders(root: folder.path, service: "chat").prepare()
        }
        #expect(error?.problem.contains(folder.path + "/chat") == true)
    }
}

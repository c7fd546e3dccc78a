import Foundation
import RetentionCore
import Testing

@Suite("Files of certificates")
struct CertificateFileTests {
    @Test("a file is read back as what was written, and always written alike")
    func roundTrip() throws {
        let chain = try Sample.chain(3, signer: try Sample.signer())
        for file in [CertificateFile.certificate(chain[0]), .chain(chain), .chain([])] {
            let bytes = try file.encoded()
            #expect(try CertificateFile(decoding: bytes) == file)
            #expect(try file.encoded() == bytes)
            #expect(bytes.last == UInt8(ascii: "\n"))
        }
    }

    @Test(
        "a file of something else is refused",
        arguments: [
            ("", CertificateFile.Problem.unreadable), ("null", .unreadable), ("[]", .unreadable), ("{}", .unreadable),
            (#"{"format":"samtal-certificate","version":1}"#, .unknownFormat),
            (#"{"format":"samtal-certificate","version":1,"certificates":[]}"#, .unknownFormat),
            (#"{"format":"samtal-certificate-chain","version":2,"certificates":[]}"#, .unknownFormat),
            (#"{"format":"samtal-session-export","version":1,"certificates":[]}"#, .unknownFormat),
            (#"{"format":"samtal-certificate","version":1,"certificate":{"key_id":"a"}}"#, .unreadable),
        ])
    func refused(text: String, problem: CertificateFile.Problem) {
        #expect(throws: problem) { try CertificateFile(decoding: Array(text.utf8)) }
    }

    @Test("a file over the limit is refused before it is parsed")
    func tooLarge() {
        let bytes = [UInt8](repeating: UInt8(ascii: " "), count: CertificateFile.maximumBytes + 1)
        #expect(throws: CertificateFile.Problem.tooLarge) { try CertificateFile(decoding: bytes) }
    }
}

import Foundation
import RetentionCore
import Testing

@Suite("The lines of a ledger's anchor")
struct AnchorRecordTests {
    private func records() throws -> [AnchorRecord] {
        let certificate = try Sample.signer().certificate(try Sample.statement())
        let instruction = try #require(ErasureInstruction(#"Ärende 2026/17: "gallra" nu"#))
        return [
            .header(keyID: "0123456789abcdef"),
            .certificate(LedgerHead(sequence: 1, hash: certificate.hash), AnchoredCertificate(certificate)),
            .erasing(
                sessionDigest: AnchorRecord.digest(ofSession: "session-1"),
                ErasureReason(trigger: .manual, requester: .operator(instruction))),
            .erasing(
                sessionDigest: AnchorRecord.digest(ofSession: "session-2"),
                ErasureReason(trigger: .automatic, requester: nil)),
            .keyCopy(
                KeyCopy(
                    createTime: try Sample.date("2026-02-07T10:00:00.125Z"),
                    expireTime: try Sample.date("2026-02-14T10:00:00.125Z"))),
            .accepted(after: 12, time: try Sample.date("2026-02-07T10:00:00.125Z")),
        ]
    }

    @Test("each is read back as it was written, a certificate with its signature")
    func roundTrip() throws {
        for record in try records() {
            #expect(record.line.last == UInt8(ascii: "\n"))
            #expect(record.line.count { $0 == UInt8(ascii: "\n") } == 1)
            #expect(AnchorRecord(line: record.line.dropLast()) == record)
        }
        let certificate = try Sample.signer().certificate(try Sample.statement())
        #expect(AnchoredCertificate(certificate).certificate == certificate)
    }

    @Test("a line is refused when any byte of it is changed, or it is cut short")
    func tampered() throws {
        for record in try records() {
            let line = Array(record.line.dropLast())
            for index in line.indices {
                var changed = line
                changed[index] ^= 1
                #expect(AnchorRecord(line: changed[...]) == nil)
                #expect(AnchorRecord(line: line[..<index]) == nil)
            }
        }
        #expect(AnchorRecord(line: []) == nil)
        #expect(AnchorRecord(line: [UInt8](repeating: UInt8(ascii: "x"), count: 20_000)[...]) == nil)
    }

    @Test("the longest statement fits in a line")
    func longest() throws {
        let statement = String(repeating: "\"", count: ErasureStatement.maximumBytes)
        let certificate = Certificate(
            statement: statement, signature: [UInt8](repeating: 255, count: 64), keyID: "0123456789abcdef")
        let record = AnchorRecord.certificate(
            LedgerHead(sequence: .max, hash: certificate.hash), AnchoredCertificate(certificate))
        #expect(AnchorRecord(line: record.line.dropLast()) == record)
    }
}

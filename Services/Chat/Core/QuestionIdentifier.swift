package import Foundation
internal import Privacy

/// Identifiers of questions and answers: nine characters of time, which the message shows anyway, and random ones.
///
/// Those made close in time are close in the index too. Wholly random ones would touch a page of the index each, and
/// every page touched is written to the log before a question is acknowledged.
package enum QuestionIdentifier {
    private static let timeLength = 9
    private static let randomLength = 20
    private static let alphabet = [UInt8]("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// 29 characters, of which 20 carry 98 random bits or more.
    package static func make(at time: Date) -> String {
        let random = Identifier.random()
        return String(unsafeUninitializedCapacity: timeLength + randomLength) { output in
            var rest = UInt64(clamping: time.milliseconds)
            for index in (0..<timeLength).reversed() {
                output[index] = alphabet[Int(rest & 31)]
                rest >>= 5
            }
            // The last characters: the first one of an identifier carries fewer bits than the others.
            var index = timeLength
            for byte in random.utf8.suffix(randomLength) {
                output[index] = byte
                index += 1
            }
            return index
        }
    }
}

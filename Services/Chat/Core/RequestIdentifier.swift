/// The identifier that a client makes for one request, so that repeating the request does nothing twice.
package enum RequestIdentifier {
    /// - Throws: ``ChatError/Code/invalid`` unless it is 8 to 64 characters of A–Z a–z 0–9 - _.
    package static func check(_ text: String, field: String) throws(ChatError) {
        guard ChatLimits.requestIDLength.contains(text.utf8.count), text.utf8.allSatisfy(isAllowed) else {
            throw .invalid(field, "must be 8 to 64 characters of A–Z a–z 0–9 - _")
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

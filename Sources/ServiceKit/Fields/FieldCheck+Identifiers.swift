public import RPC

extension FieldCheck {
    /// The id of an object: 1–64 of a–z, 0–9 and "-".
    @discardableResult
    public static func identifier(_ value: String, field: String) throws(RPCError) -> String {
        guard !value.isEmpty else { throw .invalid(field, "must not be empty") }
        guard isIdentifier(value) else { throw .invalid(field, "is not an identifier") }
        return value
    }

    /// The id by which a caller makes its request safe to repeat: 8–64 of A–Z, a–z, 0–9, "-" and "_".
    @discardableResult
    public static func requestID(_ value: String, field: String = "request_id") throws(RPCError) -> String {
        guard (8...64).contains(value.utf8.count), value.utf8.allSatisfy(Base64URL.isInAlphabet) else {
            throw .invalid(field, "must be 8 to 64 letters, digits, \"-\" or \"_\"")
        }
        return value
    }

    static func isIdentifier(_ value: String) -> Bool {
        (1...64).contains(value.utf8.count)
            && value.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

public import RPC

extension FieldCheck {
    /// The page size when the caller names none, and the largest there is.
    public static let defaultPageSize = 50
    public static let largestPageSize = 200

    /// The longest key in a page token, in bytes of UTF-8.
    static let longestPageKey = 256

    /// How many objects to return: 0 means the default; too many means the most there is (AIP-158).
    public static func pageSize(_ value: UInt32) -> Int {
        value == 0 ? defaultPageSize : min(Int(value), largestPageSize)
    }

    /// The key of the last object on the page before.
    /// - Returns: nil for the first page.
    /// - Throws: INVALID_ARGUMENT for a token that `nextPageToken` didn't make. A token isn't a secret and isn't
    ///   signed: what is done with the key must be safe with any text.
    public static func pageToken(_ value: String, field: String = "page_token") throws(RPCError) -> String? {
        if value.isEmpty { return nil }
        // 4 characters of base64 stand for 3 bytes.
        guard value.utf8.count <= (longestPageKey + 2) / 3 * 4, let bytes = Base64URL.decode(value),
            !bytes.isEmpty, bytes.count <= longestPageKey, let key = String(validating: bytes, as: UTF8.self)
        else {
            throw .invalid(field, "is not a page token of this method")
        }
        return key
    }

    /// A token with which the next page can be asked for.
    /// - Parameter key: of the last object on this page, 1–256 bytes of UTF-8; nil: this is the last page.
    /// - Returns: what goes into `next_page_token`; empty on the last page.
    public static func nextPageToken(_ key: String?) -> String {
        guard let key else { return "" }
        assert((1...longestPageKey).contains(key.utf8.count), "a page key is short")
        return Base64URL.encode(key.utf8)
    }
}

internal import IdentityCore
internal import RPC
internal import ServiceKit

/// Which part of a list is asked for.
struct PageRequest: Sendable, Equatable {
    let size: Int
    let position: ListPosition?

    /// - Throws: INVALID_ARGUMENT naming page_token.
    init(size: UInt32, token: String) throws(RPCError) {
        self.size = FieldCheck.pageSize(size)
        guard let key = try FieldCheck.pageToken(token) else {
            position = nil
            return
        }
        guard let position = ListPosition(key: key) else {
            throw .invalid("page_token", "is not one that this list has given")
        }
        self.position = position
    }

    /// One entry more than the page shows tells whether there is another page.
    var fetchLimit: Int { size + 1 }

    /// The page's entries, and the token of the next page, "" if this is the last.
    func cut<Entry>(_ found: [Entry], position: (Entry) -> ListPosition) -> (shown: [Entry], nextPageToken: String) {
        let shown = Array(found.prefix(size))
        let last = found.count > size ? shown.last.map(position) : nil
        return (shown, FieldCheck.nextPageToken(last?.key))
    }
}

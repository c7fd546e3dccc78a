internal import Foundation
internal import GRDB
internal import IdentityCore

/// How rows become the values of Core. The columns are named in one place per table, so that they are read as written.
extension Organisation {
    static let columns = "id, display_name, create_time"

    init(row: Row) {
        self.init(id: row[0], displayName: row[1], createTime: Date(millisecondsSince1970: row[2]))
    }
}

extension Administrator {
    static let columns = "id, organisation_id, email, email_key, display_name, create_time"

    init(row: Row) {
        self.init(
            id: row[0], organisationID: row[1], email: EmailAddress(stored: row[2], key: row[3]),
            displayName: row[4], createTime: Date(millisecondsSince1970: row[5]))
    }
}

extension SecretHash {
    /// As it is bound to a statement.
    var blob: Data { Data(bytes) }

    /// A hash column. Nil only in a file that something else wrote.
    init?(blob: Data) {
        self.init(stored: Array(blob))
    }
}

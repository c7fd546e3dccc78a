internal import Foundation
internal import GRDB
internal import IdentityCore

/// How rows become the values of Core. The columns are named in one place per table, so that they are read as written.
extension Organisation {
    static let columns = "id, display_name, create_time, first_sign_in_time"

    init(row: Row) {
        self.init(
            id: row[0], displayName: row[1], createTime: Date(millisecondsSince1970: row[2]),
            firstSignInTime: (row[3] as Int64?).map(Date.init(millisecondsSince1970:)))
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

extension IssuedSignInCode {
    static let columns = """
        id, organisation_id, administrator_id, maker, made_by, instruction, create_time, usable_time, expire_time, ending,
        end_time
        """

    init(row: Row) {
        self.init(
            id: row[0], organisationID: row[1], administratorID: row[2],
            maker: row[3] == Requester.operatorName ? .operator : .administrator(id: row[4]), instruction: row[5],
            createTime: Date(millisecondsSince1970: row[6]), usableTime: Date(millisecondsSince1970: row[7]),
            expireTime: Date(millisecondsSince1970: row[8]),
            ending: (row[9] as String?).flatMap(Ending.init(rawValue:)),
            endTime: (row[10] as Int64?).map(Date.init(millisecondsSince1970:)))
    }
}

extension Requester {
    static let operatorName = "operator"

    /// As it is stored.
    var name: String {
        switch self {
        case .operator: Self.operatorName
        case .administrator: "administrator"
        }
    }

    var administratorID: String? {
        switch self {
        case .operator: nil
        case .administrator(let id): id
        }
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

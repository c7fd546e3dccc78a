package import Foundation

/// A customer: the controller (GDPR Article 4(7)) of what is said in its sessions.
package struct Organisation: Sendable, Equatable {
    package static let displayNameCharacters = 1...200

    package let id: String
    package let displayName: String
    package let createTime: Date
    /// When one of its administrators signed in for the first time; nil before.
    package let firstSignInTime: Date?

    package init(id: String, displayName: String, createTime: Date, firstSignInTime: Date? = nil) {
        self.id = id
        self.displayName = displayName
        self.createTime = createTime
        self.firstSignInTime = firstSignInTime
    }
}

/// A licensed user of an organisation. E-mail and name are all that is known of them (GDPR Article 5(1)(c)).
package struct Administrator: Sendable, Equatable {
    package static let displayNameCharacters = 1...100

    package let id: String
    package let organisationID: String
    package let email: EmailAddress
    package let displayName: String
    package let createTime: Date

    package init(id: String, organisationID: String, email: EmailAddress, displayName: String, createTime: Date) {
        self.id = id
        self.organisationID = organisationID
        self.email = email
        self.displayName = displayName
        self.createTime = createTime
    }
}

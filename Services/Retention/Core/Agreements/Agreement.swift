package import Foundation

/// Whose text an agreement is.
package enum AgreementKind: String, Sendable, Hashable, CaseIterable {
    /// The processor's own.
    case standard
    /// The controller's.
    case custom
}

/// An organisation's data-processing agreement (GDPR Art. 28(3)).
package struct Agreement: Sendable, Equatable {
    package var organisationID: String
    package var kind: AgreementKind
    package var reference: String
    /// YYYY-MM-DD.
    package var signedDate: CalendarDate
    /// The most days that a policy may say, 1–31.
    package var capDays: Int
    /// From 1.
    package var version: Int64

    /// When the controller applied its cap to the sessions that there were; nil if it never did.
    package var confirmTime: Date?

    package static let capRange = 1...31
    package static let referenceLength = 1...100

    package init(
        organisationID: String, kind: AgreementKind, reference: String, signedDate: CalendarDate, capDays: Int,
        version: Int64, confirmTime: Date? = nil
    ) {
        self.organisationID = organisationID
        self.kind = kind
        self.reference = reference
        self.signedDate = signedDate
        self.capDays = capDays
        self.version = version
        self.confirmTime = confirmTime
    }
}

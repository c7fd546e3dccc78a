/// Every bound on what one organisation may keep here.
package struct IdentityLimits: Sendable, Equatable {
    /// What the bounds are called in errors, metrics and the README.
    package static let administrators = "administrators-of-organisation"
    package static let codes = "sign-in-codes-of-organisation"
    package static let operatorCodes = "operator-sign-in-codes-of-organisation"
    package static let names = [administrators, codes, operatorCodes]

    package var administratorsPerOrganisation: Int
    /// Codes on record that administrators made. They are on record for 30 days.
    package var codesPerOrganisation = 2000
    /// Codes on record that the operator made. They are on record for 366 days, and have a bound of their own: neither
    /// of the two can use up what the other needs.
    package var operatorCodesPerOrganisation = 100

    package init(administratorsPerOrganisation: Int = 200) {
        self.administratorsPerOrganisation = administratorsPerOrganisation
    }
}

package import Foundation

/// How long what identity hands out is valid, in seconds.
package enum Lifetime {
    /// Long enough for a mail to arrive, short enough that a forgotten mailbox opens nothing.
    package static let signInCode: TimeInterval = 15 * 60
    /// How long after it was made a code works that the operator made for an organisation in use: time for its
    /// administrators to see it and to revoke it.
    package static let recoveryDelay: TimeInterval = 24 * 60 * 60
    /// From then on: whoever waited a day for a code need not be there to the minute.
    package static let recoveryCode: TimeInterval = 24 * 60 * 60
    /// How long it is on record that an administrator made a code.
    package static let codeRecord: TimeInterval = 30 * 24 * 60 * 60
    /// The same for the operator's: whoever looks once a year sees them all.
    package static let operatorCodeRecord: TimeInterval = 366 * 24 * 60 * 60
    /// Other services verify access tokens without asking, and learn of ended sign-ins every other second. If they can't,
    /// this is how long one still works.
    package static let accessToken: TimeInterval = 10 * 60
    /// From the latest use: an administrator who comes back within a month stays signed in.
    package static let refreshToken: TimeInterval = 30 * 24 * 60 * 60
}

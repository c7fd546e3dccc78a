package import Foundation

/// How long what identity hands out is valid, in seconds.
package enum Lifetime {
    /// Long enough for a mail to arrive, short enough that a forgotten mailbox opens nothing.
    package static let signInCode: TimeInterval = 15 * 60
    /// Other services verify access tokens without asking, and learn of ended sign-ins every other second. If they can't,
    /// this is how long one still works.
    package static let accessToken: TimeInterval = 10 * 60
    /// From the latest use: an administrator who comes back within a month stays signed in.
    package static let refreshToken: TimeInterval = 30 * 24 * 60 * 60
}

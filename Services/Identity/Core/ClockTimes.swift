package import Foundation

/// What the machine's clock and the confirmed one say at one moment.
///
/// What is stored and what expires goes by the confirmed time. Access tokens go by the wall clock, right or wrong, and so
/// whatever is compared with one does.
package struct ClockTimes: Sendable, Equatable {
    package var wall: Date
    package var confirmed: Date

    package init(wall: Date, confirmed: Date) {
        self.wall = wall
        self.confirmed = confirmed
    }

    /// Whether by both clocks so many seconds have passed since.
    func isPast(_ earlier: ClockTimes, by seconds: TimeInterval) -> Bool {
        wall >= earlier.wall + seconds && confirmed >= earlier.confirmed + seconds
    }
}

internal import IdentityCore
internal import Privacy

extension WallClock {
    /// What both clocks say now.
    var times: ClockTimes { ClockTimes(wall: reading().wall, confirmed: confirmed()) }
}

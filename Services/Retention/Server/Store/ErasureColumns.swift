import Foundation
import RetentionCore

/// An erasure's state as columns: its name, and what it carries.
struct ErasureColumns {
    var name: String
    var trigger: ErasureTrigger?
    var keyDestroyedTime: Date?
    var erasedTime: Date?
    var counts: ErasedCounts?
}

extension ErasureColumns {
    init(_ state: ErasureState) {
        switch state {
        case .live:
            self.init(name: "live")
        case .requested(let trigger):
            self.init(name: "requested", trigger: trigger)
        case .keyDestroyed(let trigger, let time):
            self.init(name: "key-destroyed", trigger: trigger, keyDestroyedTime: time)
        case .rowsErased(let trigger, let keyDestroyedTime, let time, let counts):
            self.init(
                name: "rows-erased", trigger: trigger, keyDestroyedTime: keyDestroyedTime, erasedTime: time,
                counts: counts)
        case .certified:
            self.init(name: "certified")
        }
    }

    /// Nil when the columns do not make a state.
    var state: ErasureState? {
        switch (name, trigger, keyDestroyedTime, erasedTime, counts) {
        case ("live", _, _, _, _): .live
        case ("requested", .some(let trigger), _, _, _): .requested(trigger)
        case ("key-destroyed", .some(let trigger), .some(let time), _, _): .keyDestroyed(trigger, at: time)
        case ("rows-erased", .some(let trigger), .some(let keyDestroyed), .some(let time), .some(let counts)):
            .rowsErased(trigger, keyDestroyedAt: keyDestroyed, at: time, counts)
        case ("certified", _, _, _, _): .certified
        default: nil
        }
    }
}

import Foundation
import RetentionCore

/// An erasure's state as columns: its name, and what it carries.
struct ErasureColumns {
    var name: String
    var trigger: ErasureTrigger?
    var keyDestroyedTime: Date?
    var erasedTime: Date?
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
        case .contentErased(let trigger, let keyDestroyedTime, let time):
            self.init(
                name: "content-erased", trigger: trigger, keyDestroyedTime: keyDestroyedTime, erasedTime: time)
        case .certified:
            self.init(name: "certified")
        }
    }

    /// Nil when the columns do not make a state.
    var state: ErasureState? {
        switch (name, trigger, keyDestroyedTime, erasedTime) {
        case ("live", _, _, _): .live
        case ("requested", .some(let trigger), _, _): .requested(trigger)
        case ("key-destroyed", .some(let trigger), .some(let time), _): .keyDestroyed(trigger, at: time)
        case ("content-erased", .some(let trigger), .some(let keyDestroyed), .some(let time)):
            .contentErased(trigger, keyDestroyedAt: keyDestroyed, at: time)
        case ("certified", _, _, _): .certified
        default: nil
        }
    }
}

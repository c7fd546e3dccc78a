import Contracts
import Foundation
import RPC
import RetentionCore

extension ContentErasure {
    /// Nil for an answer that says too little, or more than a statement can hold.
    init?(_ response: ChatV1.EraseSessionContentResponse) {
        let found: Found
        switch response.content {
        case .fileUnlinked: found = .fileUnlinked
        case .erasedEarlier: found = .erasedEarlier
        case .neverHeld: found = .neverHeld
        case .unspecified, .unrecognised: return nil
        }
        guard let time = response.eraseTime?.date,
            let counts = ErasedCounts(
                reported: response.questions, answers: response.answers, events: response.events),
            let bytes = ErasedCounts(reported: response.bytesUnlinked, answers: 0, events: 0)?.questions
        else { return nil }
        self.init(
            found: found, files: Int64(response.filesUnlinked), bytes: bytes, time: LedgerTime.rounded(time),
            counts: response.countsKnown ? counts : nil)
    }
}

import RetentionCore

/// What the file of an anchor says, held against the head of the ledger.
struct AnchorReading {
    /// Whose it is; nil: it does not begin as an anchor does.
    private(set) var keyID: String?
    /// Its latest certificate.
    private(set) var head = LedgerHead.empty
    /// The next certificate's number is above this.
    private(set) var floor: Int64 = 0
    /// Where what the ledger may lack begins.
    private(set) var end = 0
    /// Erasures that began since, by the digests of their sessions.
    private(set) var erasing: [String: ErasureReason] = [:]
    /// Every copy of keys that was on record.
    private(set) var keyCopies: [KeyCopy] = []
    private(set) var condition = AnchorCondition.usable

    private let ledger: LedgerHead
    /// The hash that it has for the number of the ledger's head.
    private var hashAtLedger: String?

    /// - Parameters:
    ///   - file: is cut back where its last line is torn.
    ///   - hash: of the ledger's certificate of a number; nil: it has none.
    init(
        of file: inout AnchorFile, ledger: LedgerHead, hash: (Int64) async throws -> String?
    ) async throws {
        self.ledger = ledger
        do {
            try file.read { record, next in
                take(record, endingAt: next)
                return condition == .usable
            }
        } catch AnchorFile.Problem.damaged {
            condition = .damaged
        }
        if keyID == nil { condition = .damaged }
        guard condition == .usable else { return }
        // Whichever is behind, the other has its latest certificate.
        let agrees: Bool
        if head.sequence >= ledger.sequence {
            agrees = ledger == .empty || hashAtLedger == ledger.hash
        } else {
            let known = try await hash(head.sequence)
            agrees = head == .empty || known == head.hash
        }
        if !agrees { condition = .forked }
    }

    private mutating func take(_ record: AnchorRecord, endingAt next: Int) {
        if case .header(let keyID) = record {
            if self.keyID == nil, end == 0 { self.keyID = keyID } else { condition = .damaged }
            if ledger == .empty { end = next }
            return
        }
        guard keyID != nil else { return condition = .damaged }
        switch record {
        case .header: break
        case .certificate(let head, _):
            // Numbers only ever rise.
            guard head.sequence > self.head.sequence else { return condition = .damaged }
            self.head = head
            if head.sequence == ledger.sequence {
                hashAtLedger = head.hash
                end = next
                erasing = [:]
            }
        case .erasing(let digest, let reason): erasing[digest] = reason
        case .keyCopy(let copy): keyCopies.append(copy)
        case .accepted(let after, _): floor = max(floor, after)
        }
    }
}

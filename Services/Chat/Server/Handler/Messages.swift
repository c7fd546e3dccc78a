internal import ChatCore
internal import Contracts
internal import Foundation
internal import Privacy
internal import RPC

/// Chat's records as the messages of its contract.
enum Messages {
    static func session(_ session: OpenedSession) -> ChatV1.Session {
        let record = session.record
        return ChatV1.Session(
            sessionID: record.id, organisationID: record.organisationID, title: session.title,
            state: state(record.state), createTime: timestamp(record.createTime),
            openTime: record.openTime.map(timestamp), endTime: record.endTime.map(timestamp),
            deleteTime: record.deleteTime.map(timestamp), retentionDays: UInt32(clamping: record.retentionDays))
    }

    /// - Throws: ``ChatError/damaged`` if a text does not open with the session's key.
    static func question(
        _ record: QuestionRecord, opening cipher: SessionCipher
    ) throws(ChatError) -> ChatV1.Question {
        var answers: [ChatV1.Answer] = []
        for answer in record.answers { answers.append(try Messages.answer(answer, opening: cipher)) }
        return ChatV1.Question(
            questionID: record.id, sessionID: cipher.sessionID, state: state(record.state),
            text: try cipher.open(record.sealedText, as: .questionText(questionID: record.id)),
            authorName: try cipher.open(record.sealedAuthorName, as: .authorName(questionID: record.id)),
            askTime: timestamp(record.askTime), version: UInt64(clamping: record.version), answers: answers)
    }

    private static func answer(
        _ record: AnswerRecord, opening cipher: SessionCipher
    ) throws(ChatError) -> ChatV1.Answer {
        ChatV1.Answer(
            answerID: record.id, text: try cipher.open(record.sealedText, as: .answerText(answerID: record.id)),
            hostName: try cipher.open(record.sealedHostName, as: .hostName(answerID: record.id)),
            answerTime: timestamp(record.answerTime))
    }

    static func erasure(_ evidence: ErasureEvidence, in region: Region) -> ChatV1.EraseSessionContentResponse {
        let content: ChatV1.ErasedContent =
            switch evidence.content {
            case .removed: .fileUnlinked
            case .erasedEarlier: .erasedEarlier
            case .neverHeld: .neverHeld
            }
        let counts = evidence.counts ?? ContentCounts()
        return ChatV1.EraseSessionContentResponse(
            questions: UInt64(counts.questions), answers: UInt64(counts.answers), events: UInt64(counts.events),
            region: region.name, content: content, countsKnown: evidence.counts != nil,
            filesUnlinked: UInt32(clamping: evidence.files), bytesUnlinked: UInt64(clamping: evidence.bytes),
            eraseTime: timestamp(evidence.time))
    }

    static func timestamp(_ date: Date) -> GoogleProtobuf.Timestamp {
        let (seconds, rest) = date.milliseconds.quotientAndRemainder(dividingBy: 1000)
        // The fraction of a timestamp counts forward, also before 1970.
        return rest < 0
            ? GoogleProtobuf.Timestamp(seconds: seconds - 1, nanos: Int32(rest + 1000) * 1_000_000)
            : GoogleProtobuf.Timestamp(seconds: seconds, nanos: Int32(rest) * 1_000_000)
    }

    /// To the millisecond.
    static func date(_ timestamp: GoogleProtobuf.Timestamp) -> Date {
        Date(timeIntervalSince1970: Double(timestamp.seconds) + Double(timestamp.nanos / 1_000_000) / 1000)
    }

    private static func state(_ state: SessionState) -> ChatV1.SessionState {
        switch state {
        case .draft: .draft
        case .open: .open
        case .ended: .ended
        }
    }

    private static func state(_ state: QuestionState) -> ChatV1.QuestionState {
        switch state {
        case .pending: .pending
        case .published: .published
        case .rejected: .rejected
        // Never shown: whoever saw it is told that it is removed.
        case .deleted: .unspecified
        }
    }
}

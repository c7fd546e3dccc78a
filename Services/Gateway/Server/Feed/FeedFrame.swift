internal import Contracts
internal import Foundation
internal import GatewayCore
internal import NIOCore
internal import Privacy
internal import ProtobufC
internal import RPC

/// What an upstream event is to browsers.
enum FeedFrame: Sendable {
    /// - Parameter deleteTime: when the session is to be invisible, if the event says so.
    case event(FeedEvent<ByteBuffer>, of: FeedEpoch, deleteTime: Date?)
    case caughtUp(FeedPosition)
    /// What was seen before is worth nothing; everything follows.
    case reset
    /// A kind of change that this gateway does not know yet.
    case unknown

    /// Encodes the event, once for everybody.
    init(_ event: ChatV1.SessionEvent) {
        if case .reset = event.change {
            self = .reset
            return
        }
        guard let position = FeedPosition(event.position) else {
            self = .unknown
            return
        }
        let sequence = position.sequence
        switch event.change {
        case .session(let session):
            let buffer = Self.encoded(event, name: "session")
            self = .event(
                FeedEvent(sequence: sequence, subject: .session, payload: buffer, size: buffer.readableBytes),
                of: position.epoch, deleteTime: session.deleteTime?.date)
        case .question(let question):
            let buffer = Self.encoded(event, name: "question")
            self = .event(
                FeedEvent(
                    sequence: sequence, subject: .question(id: question.questionID), payload: buffer,
                    size: buffer.readableBytes),
                of: position.epoch, deleteTime: nil)
        case .removedQuestionID(let id):
            let buffer = Self.encoded(event, name: "removed")
            self = .event(
                FeedEvent(
                    sequence: sequence, subject: .question(id: id), isRemoval: true, payload: buffer,
                    size: buffer.readableBytes),
                of: position.epoch, deleteTime: nil)
        case .caughtUp: self = .caughtUp(position)
        case .reset, nil: self = .unknown
        }
    }

    private static func encoded(_ event: ChatV1.SessionEvent, name: String) -> ByteBuffer {
        ByteBuffer(bytes: ServerSentEvent.encoded(id: event.position, name: name, data: event.jsonUTF8()))
    }

    /// Tells a browser that all that had happened before has been sent.
    static func caughtUpBuffer(_ position: FeedPosition?) -> ByteBuffer {
        let event = ChatV1.SessionEvent(position: position?.text ?? "", change: .caughtUp(true))
        return ByteBuffer(
            bytes: ServerSentEvent.encoded(id: position?.text, name: "caught-up", data: event.jsonUTF8()))
    }

    /// The session is not to be seen any more.
    static let gone = ByteBuffer(bytes: ServerSentEvent.encoded(id: nil, name: "gone", data: Array("{}".utf8)))
    /// Chat can't be reached, and what is shown may be old.
    static let away = ByteBuffer(bytes: ServerSentEvent.encoded(id: nil, name: "away", data: Array("{}".utf8)))
    /// What the browser has seen is to be forgotten: everything follows.
    static let resetBuffer = ByteBuffer(
        bytes: ServerSentEvent.encoded(
            id: nil, name: "reset", data: ChatV1.SessionEvent(change: .reset(true)).jsonUTF8()))
    /// It can be reached again.
    static let back = ByteBuffer(bytes: ServerSentEvent.encoded(id: nil, name: "back", data: Array("{}".utf8)))
    static let heartbeat = ByteBuffer(bytes: ServerSentEvent.heartbeat)
}

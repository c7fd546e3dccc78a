internal import Contracts
internal import Foundation
internal import IdentityCore
internal import RPC

extension GoogleProtobuf.Timestamp {
    /// A time of whole milliseconds, without the crumbs that a binary fraction of a second has below them.
    init(stored date: Date) {
        let milliseconds = date.millisecondsSince1970
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        self.init(seconds: seconds, nanos: Int32(rest) * 1_000_000)
    }
}

/// How Core's values become the contract's messages.
extension IdentityV1.Organisation {
    init(_ organisation: Organisation) {
        self.init(
            organisationID: organisation.id, displayName: organisation.displayName,
            createTime: .init(stored: organisation.createTime))
    }
}

extension IdentityV1.SignInCode {
    /// Everything but the code itself.
    init(_ recorded: RecordedSignInCode, at now: Date) {
        let code = recorded.code
        let state = code.state(at: now)
        self.init(
            expireTime: .init(stored: code.expireTime), signInCodeID: code.id,
            administrator: recorded.administrator.map(IdentityV1.Administrator.init),
            maker: code.maker == .operator ? .operator : .administrator,
            madeBy: recorded.madeBy.map(IdentityV1.Administrator.init), createTime: .init(stored: code.createTime),
            usableTime: .init(stored: code.usableTime), instruction: code.instruction,
            state: .init(state),
            endTime: (state == .expired ? code.expireTime : code.endTime).map { .init(stored: $0) })
    }
}

extension IdentityV1.SignInCodeState {
    init(_ state: IssuedSignInCode.State) {
        self =
            switch state {
            case .notYetUsable: .notYetUsable
            case .usable: .usable
            case .used: .used
            case .expired: .expired
            case .replaced: .replaced
            case .revoked: .revoked
            }
    }
}

extension IdentityV1.Administrator {
    init(_ administrator: Administrator) {
        self.init(
            administratorID: administrator.id, organisationID: administrator.organisationID,
            email: administrator.email.text, displayName: administrator.displayName,
            createTime: .init(stored: administrator.createTime))
    }
}

import Foundation
import Logging
import RPC
import RetentionCore
import ServiceKit
import Storage
import StorageStatus

extension ErasureScheduler {
    /// Content has to be physically gone within the hour after its deadline.
    static let toleratedDelay: TimeInterval = 3600

    /// The alarm that somebody has to look at: erasure has failed for an hour.
    func logLate(_ count: Int) {
        logger.error("sessions are overdue for erasure", metadata: [LogKey.count: .stringConvertible(count)])
    }

    func logFailure(_ error: any Error, attempt: Int) {
        var metadata = Self.metadata(error)
        metadata[LogKey.attempt] = .stringConvertible(attempt)
        logger.warning("an erasure did not complete and will be tried again", metadata: metadata)
    }

    func logFailure(_ error: any Error, component: String) {
        var metadata = Self.metadata(error)
        metadata[LogKey.component] = .string(component)
        logger.error("the erasure scheduler could not do a part of its work", metadata: metadata)
    }

    /// What is safe to say of an error: a status by its code and reason, any other by its type.
    static func metadata(_ error: any Error) -> Logger.Metadata {
        let ofStore = (error as? StorageError).flatMap { RPCError($0, of: "retention") }
        let own = (error as? RetentionError).map { RPCError($0) }
        guard let status = error as? RPCError ?? ofStore ?? own else {
            return [LogKey.errorType: .string("\(type(of: error))")]
        }
        return [LogKey.code: .string(status.code.name), LogKey.reason: .string(status.reason)]
    }
}

internal import ChatCore
internal import Contracts
internal import Foundation
internal import Privacy
package import RPC
internal import StorageStatus

/// Retention, as chat needs it: the custodian of the session keys, and the one that is told when a session has ended.
package struct Retention: Sendable {
    /// A call in whose way nothing stands takes less than a millisecond.
    private static let timeout: Duration = .seconds(5)

    private let client: RetentionV1.RetentionServiceClient

    package init(channel: RPCChannel) {
        client = RetentionV1.RetentionServiceClient(channel: channel)
    }

    /// Registers a session under its organisation's agreement.
    /// - Parameter maximumDays: After so many days it has ended, whether or not retention hears of it.
    /// - Throws: ``ChatError/retentionUnavailable``; FAILED_PRECONDITION as retention puts it, for want of an agreement;
    ///   RESOURCE_EXHAUSTED `SESSION_LIMIT` likewise.
    func openSession(
        _ sessionID: String, organisationID: String, maximumDays: Int
    ) async throws -> (keys: SessionKeys, retentionDays: Int) {
        let request = RetentionV1.OpenSessionRequest(
            sessionID: sessionID, organisationID: organisationID, maxDays: UInt32(clamping: maximumDays))
        do {
            let opened = try await client.openSession(request, options: CallOptions(timeout: Retention.timeout))
            return (try SessionKeys(opened), Int(opened.retentionDays))
        } catch let error as RPCError where error.code == .failedPrecondition || error.reason == "SESSION_LIMIT" {
            throw error
        } catch {
            throw Retention.unavailable(error)
        }
    }

    /// - Returns: nil once the session is erased.
    /// - Throws: ``ChatError/retentionUnavailable``.
    func keys(of sessionID: String) async throws -> SessionKeys? {
        let request = RetentionV1.GetSessionKeyRequest(sessionID: sessionID)
        do {
            let answer = try await client.getSessionKey(request, options: CallOptions(timeout: Retention.timeout))
            return try SessionKeys(answer)
        } catch let error as RPCError where error.code == .notFound {
            return nil
        } catch {
            throw Retention.unavailable(error)
        }
    }

    /// For a session that could not be created after all.
    func withdrawSession(_ sessionID: String) async throws {
        _ = try await client.withdrawSession(
            RetentionV1.WithdrawSessionRequest(sessionID: sessionID), options: CallOptions(timeout: Retention.timeout))
    }

    /// Makes the next content key beside the one in use.
    /// - Throws: ``ChatError/retentionUnavailable``.
    func beginKeyChange(of sessionID: String, from version: Int) async throws -> SessionKeys {
        let request = RetentionV1.BeginKeyChangeRequest(sessionID: sessionID, keyVersion: UInt32(version))
        do {
            return try SessionKeys(
                try await client.beginKeyChange(request, options: CallOptions(timeout: Retention.timeout)))
        } catch {
            throw Retention.unavailable(error)
        }
    }

    /// Has the content key before this version destroyed: nothing is sealed under it any more.
    /// - Throws: ``ChatError/retentionUnavailable``.
    func finishKeyChange(of sessionID: String, to version: Int) async throws {
        let request = RetentionV1.FinishKeyChangeRequest(sessionID: sessionID, keyVersion: UInt32(version))
        do {
            _ = try await client.finishKeyChange(request, options: CallOptions(timeout: Retention.timeout))
        } catch {
            throw Retention.unavailable(error)
        }
    }

    enum EndReport: Sendable {
        /// With the time of erasure as retention has it.
        case acknowledged(deleteTime: Date?)
        case erased
    }

    /// - Throws: ``ChatError/retentionUnavailable``.
    func reportEnd(of sessionID: String, at endTime: Date, questions: Int) async throws -> EndReport {
        let request = RetentionV1.EndSessionRequest(
            sessionID: sessionID, endTime: Messages.timestamp(endTime), questionCount: UInt64(questions))
        do {
            let answer = try await client.endSession(request, options: CallOptions(timeout: Retention.timeout))
            return .acknowledged(deleteTime: answer.deleteTime.map(Messages.date))
        } catch let error as RPCError where error.code == .notFound {
            return .erased
        } catch {
            throw Retention.unavailable(error)
        }
    }

    /// Until when a session may be kept, as retention has it.
    struct Deadline: Sendable {
        let sessionID: String
        let days: Int
        /// Absent until retention has heard of the end.
        let deleteTime: Date?
    }

    /// The most sessions that are asked about in one call.
    static let deadlinesAtOnce = 200

    /// - Returns: The deadlines of those that retention knows and does not erase, and the ids of those that are erased, which
    ///   an older folder may hold again.
    /// - Throws: ``ChatError/retentionUnavailable``.
    func deadlines(of sessionIDs: [String]) async throws -> (deadlines: [Deadline], erased: [String]) {
        let request = RetentionV1.GetSessionDeadlinesRequest(sessionIDs: sessionIDs)
        do {
            let answer = try await client.getSessionDeadlines(request, options: CallOptions(timeout: Retention.timeout))
            let deadlines = answer.deadlines.map { deadline in
                Deadline(
                    sessionID: deadline.sessionID, days: Int(deadline.retentionDays),
                    deleteTime: deadline.deleteTime.map(Messages.date))
            }
            return (deadlines, answer.erasedSessionIDs)
        } catch {
            throw Retention.unavailable(error)
        }
    }

    /// Whatever keeps retention from answering is the same to chat's callers, except that they gave up themselves, and
    /// what retention says of its own store, such as that its disk is full.
    private static func unavailable(_ error: any Error) -> any Error {
        if Task.isCancelled { return CancellationError() }
        if let status = error as? RPCError, status.isOfStore { return status }
        return ChatError.retentionUnavailable
    }
}

extension SessionKeys {
    fileprivate init(_ answer: RetentionV1.SessionKey) throws(PrivacyError) {
        self.init(
            token: try SessionKey(bytes: answer.tokenKey), content: try SessionKey(bytes: answer.key),
            version: Int(answer.keyVersion),
            next: answer.nextKey.isEmpty ? nil : try SessionKey(bytes: answer.nextKey))
    }
}

package import Contracts
import Foundation
import Privacy
package import RPC
import RetentionCore
import ServiceKit

extension RetentionHandler {
    /// The most sessions whose deadlines are asked for in one call.
    private static let deadlinesAtOnce = 200
    /// The most that chat lets a session go on.
    private static let longestSessionDays: UInt32 = 366

    package func openSession(
        _ request: RetentionV1.OpenSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            try FieldCheck.identifier(request.organisationID, field: "organisation_id")
            guard request.maxDays <= Self.longestSessionDays else {
                throw RPCError.invalid("max_days", "must be at most \(Self.longestSessionDays)")
            }
            let (session, keys) = try await custodian.open(
                sessionID: request.sessionID, organisationID: request.organisationID,
                maximumDays: Int(request.maxDays == 0 ? Self.longestSessionDays : request.maxDays))
            return RetentionV1.SessionKey(session, keys)
        }
    }

    package func getSessionKey(
        _ request: RetentionV1.GetSessionKeyRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            let (session, keys) = try await custodian.keys(ofSession: request.sessionID)
            return RetentionV1.SessionKey(session, keys)
        }
    }

    package func withdrawSession(
        _ request: RetentionV1.WithdrawSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.WithdrawSessionResponse {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            try await custodian.withdraw(request.sessionID)
            return RetentionV1.WithdrawSessionResponse()
        }
    }

    package func beginKeyChange(
        _ request: RetentionV1.BeginKeyChangeRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            let (session, keys) = try await custodian.beginKeyChange(
                ofSession: request.sessionID, from: Int64(request.keyVersion))
            return RetentionV1.SessionKey(session, keys)
        }
    }

    package func finishKeyChange(
        _ request: RetentionV1.FinishKeyChangeRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            let (session, keys) = try await custodian.finishKeyChange(
                ofSession: request.sessionID, to: Int64(request.keyVersion))
            return RetentionV1.SessionKey(session, keys)
        }
    }

    package func endSession(
        _ request: RetentionV1.EndSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.EndSessionResponse {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            let endTime = try FieldCheck.time(request.endTime, field: "end_time")
            let deleteTime = try await custodian.end(
                sessionID: request.sessionID, at: endTime, questions: Int64(clamping: request.questionCount))
            signal.signal()
            var response = RetentionV1.EndSessionResponse()
            response.deleteTime = GoogleProtobuf.Timestamp(deleteTime)
            return response
        }
    }

    package func getSessionDeadlines(
        _ request: RetentionV1.GetSessionDeadlinesRequest, call: ServerCall
    ) async throws -> RetentionV1.GetSessionDeadlinesResponse {
        try await RPCError.mapping {
            guard request.sessionIDs.count <= Self.deadlinesAtOnce else {
                throw RPCError.invalid("session_ids", "must be at most \(Self.deadlinesAtOnce)")
            }
            for id in request.sessionIDs { try FieldCheck.identifier(id, field: "session_ids") }
            let sessions = try await store.liveSessions(among: request.sessionIDs)
            // Chat asks of those that it holds.
            try await store.noteHeld(sessions.filter { !$0.isHeld }.map(\.id))
            return RetentionV1.GetSessionDeadlinesResponse(
                deadlines: sessions.map(RetentionV1.SessionDeadline.init),
                erasedSessionIDs: try await store.certifiedSessions(among: request.sessionIDs))
        }
    }

    package func eraseSession(
        _ request: RetentionV1.EraseSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.Certificate {
        try await RPCError.mapping {
            let session = try await session(request.sessionID, for: call)
            guard request.confirmSessionID == session.id else { throw RetentionError.confirmationMismatch }
            let requester = try Self.requester(request, call)
            let place = try longCalls.erasure(for: session.organisationID)
            defer { place.giveBack() }
            // Whatever is left when this fails is the scheduler's.
            defer { signal.signal() }
            return try RetentionV1.Certificate(try await eraser.erase(session.id, by: requester))
        }
    }

    package func exportSession(
        _ request: RetentionV1.ExportSessionRequest, writer: ResponseWriter<RetentionV1.ExportChunk>, call: ServerCall
    ) async throws {
        try await RPCError.mapping {
            let session = try await session(request.sessionID, for: call)
            guard session.isVisible(at: clock.now()) else { throw RetentionError.sessionNotFound }
            let place = try longCalls.export(for: session.organisationID)
            defer { place.giveBack() }
            // Not cut off in the middle because the token expires meanwhile.
            try await call.whileAuthorised(.untilRevoked) {
                try await exporter.export(session, options: .onward(from: call)) { bytes in
                    var chunk = RetentionV1.ExportChunk()
                    chunk.data = bytes
                    try await writer.send(chunk)
                }
            }
        }
    }

    /// Who asks for an erasure. Only the operator may call without an administrator's token; a process that has no
    /// other role is the operator whatever it carries.
    private static func requester(
        _ request: RetentionV1.EraseSessionRequest, _ call: ServerCall
    ) throws(RPCError) -> ErasureRequester {
        let field = "instruction"
        if case .administrator = call.principal, call.roles != [.operator] {
            guard request.instruction.isEmpty else {
                throw .invalid(field, "is for the operator; an administrator needs none")
            }
            return .administrator
        }
        guard !request.instruction.isEmpty else { throw .instructionRequired }
        let text = try FieldCheck.text(
            request.instruction, field: field, min: ErasureInstruction.characters.lowerBound,
            max: ErasureInstruction.characters.upperBound)
        guard let instruction = ErasureInstruction(text) else {
            throw .invalid(field, "must have at most \(ErasureInstruction.maximumBytes) bytes in one line")
        }
        return .operator(instruction)
    }
}

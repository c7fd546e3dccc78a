package import Contracts
import Foundation
import Privacy
package import RPC
import RetentionCore
import ServiceKit

extension RetentionHandler {
    package func openSession(
        _ request: RetentionV1.OpenSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            try FieldCheck.identifier(request.organisationID, field: "organisation_id")
            let (session, key) = try await custodian.open(
                sessionID: request.sessionID, organisationID: request.organisationID)
            return RetentionV1.SessionKey(session, key)
        }
    }

    package func getSessionKey(
        _ request: RetentionV1.GetSessionKeyRequest, call: ServerCall
    ) async throws -> RetentionV1.SessionKey {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            let (session, key) = try await custodian.key(ofSession: request.sessionID)
            return RetentionV1.SessionKey(session, key)
        }
    }

    package func endSession(
        _ request: RetentionV1.EndSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.EndSessionResponse {
        try await RPCError.mapping {
            try FieldCheck.identifier(request.sessionID, field: "session_id")
            let endTime = try Self.time(request.endTime, field: "end_time")
            let deleteTime = try await custodian.end(sessionID: request.sessionID, at: endTime)
            signal.signal()
            var response = RetentionV1.EndSessionResponse()
            response.deleteTime = GoogleProtobuf.Timestamp(deleteTime)
            return response
        }
    }

    package func eraseSession(
        _ request: RetentionV1.EraseSessionRequest, call: ServerCall
    ) async throws -> RetentionV1.Certificate {
        try await RPCError.mapping {
            let session = try await session(request.sessionID, for: call)
            guard request.confirmSessionID == session.id else { throw RetentionError.confirmationMismatch }
            // Whatever is left when this fails is the scheduler's.
            defer { signal.signal() }
            return try RetentionV1.Certificate(try await eraser.erase(session.id))
        }
    }

    package func exportSession(
        _ request: RetentionV1.ExportSessionRequest, writer: ResponseWriter<RetentionV1.ExportChunk>, call: ServerCall
    ) async throws {
        try await RPCError.mapping {
            let session = try await session(request.sessionID, for: call)
            guard session.isVisible(at: clock.now()) else { throw RetentionError.sessionNotFound }
            try await exporter.export(session, options: .onward(from: call)) { bytes in
                var chunk = RetentionV1.ExportChunk()
                chunk.data = bytes
                try await writer.send(chunk)
            }
        }
    }

    /// A time within the range of `google.protobuf.Timestamp`: years 1 to 9999.
    private static func time(_ timestamp: GoogleProtobuf.Timestamp?, field: String) throws -> Date {
        guard let timestamp else { throw RPCError.invalid(field, "must be given") }
        guard (-62_135_596_800...253_402_300_799).contains(timestamp.seconds),
            (0...999_999_999).contains(timestamp.nanos)
        else { throw RPCError.invalid(field, "is not a time") }
        return timestamp.date
    }
}

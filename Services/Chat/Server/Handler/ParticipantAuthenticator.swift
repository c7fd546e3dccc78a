internal import ChatCore
internal import Privacy
package import RPC
package import ServiceKit

/// Recognises a participant by the token in the metadata `samtal-participant`.
///
/// Nothing about the token is stored: it opens with the key of the session that it names, or it is not one. One that has
/// been opened is in memory as long as its session is.
package struct ParticipantAuthenticator: Authenticator {
    package static let metadataName = "samtal-participant"

    let directory: SessionDirectory

    /// - Throws: UNAUTHENTICATED `TOKEN_INVALID`; NOT_FOUND if the token's session does not exist any more; UNAVAILABLE if
    ///   its key can't be fetched.
    package func authenticate(_ call: ServerCall) async throws(RPCError) -> Principal? {
        guard let token = call.metadata[first: ParticipantAuthenticator.metadataName] else { return nil }
        guard let sessionID = ParticipantToken.sessionID(of: token) else { throw .tokenInvalid }
        do {
            let (session, participant) = try await directory.participant(holding: token, in: sessionID)
            return .participant(id: participant.id, sessionID: session.id, name: participant.name)
        } catch is PrivacyError {
            throw .tokenInvalid
        } catch {
            throw Status.of(error) as? RPCError ?? RPCError(.internal, "internal error")
        }
    }
}

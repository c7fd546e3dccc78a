package import Contracts
package import RPC
import RetentionCore
import ServiceKit

extension RetentionHandler {
    package func getCertificate(
        _ request: RetentionV1.GetCertificateRequest, call: ServerCall
    ) async throws -> RetentionV1.Certificate {
        try await RPCError.mapping {
            let session = try await session(request.sessionID, for: call)
            guard let certificate = try await store.certificate(ofSession: session.id) else {
                throw RetentionError.certificateNotFound
            }
            return try RetentionV1.Certificate(certificate)
        }
    }

    package func listCertificates(
        _ request: RetentionV1.ListCertificatesRequest, call: ServerCall
    ) async throws -> RetentionV1.ListCertificatesResponse {
        try await RPCError.mapping {
            let organisationID = try scope(request.organisationID, call)
            let size = FieldCheck.pageSize(request.pageSize)
            let sign = request.newestFirst ? -1 : 1 as Int64
            let after = try Self.sequence(request.pageToken, sign: sign)
            // One more than asked for tells whether there is a next page.
            let found = try await store.certificates(
                organisationID: organisationID, newestFirst: request.newestFirst, after: after, limit: size + 1)
            let page = try found.prefix(size).map { try RetentionV1.Certificate($0) }
            var response = RetentionV1.ListCertificatesResponse()
            response.certificates = page
            response.nextPageToken = FieldCheck.nextPageToken(
                found.count > size ? page.last.map { "\(sign * Int64($0.sequence))" } : nil)
            return response
        }
    }

    package func getLedgerKey(
        _ request: RetentionV1.GetLedgerKeyRequest, call: ServerCall
    ) async throws -> RetentionV1.LedgerKey {
        var key = RetentionV1.LedgerKey()
        key.keyID = ledgerKey.keyID
        key.publicKey = ledgerKey.bytes
        return key
    }

    /// Whose certificates: nil for everybody's, which only the operator may see.
    private func scope(_ organisationID: String, _ call: ServerCall) throws -> String? {
        if organisationID.isEmpty, case .anyone = call.principal, call.roles.contains(.operator) { return nil }
        try requireOrganisation(organisationID, call)
        return organisationID
    }

    /// - Parameter sign: -1 where the newest come first, so that a token of one order is none of the other.
    private static func sequence(_ token: String, sign: Int64) throws -> Int64? {
        guard let key = try FieldCheck.pageToken(token) else { return nil }
        guard let number = Int64(key), number != .min, number * sign > 0 else {
            throw RPCError.invalid("page_token", "is not a page token of this method")
        }
        return number * sign
    }
}

package import Contracts
import Foundation
import Privacy
package import RPC
import RetentionCore
import ServiceKit

extension RetentionHandler {
    package func recordAgreement(
        _ request: RetentionV1.RecordAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement {
        try await RPCError.mapping {
            let now = clock.now()
            try FieldCheck.identifier(request.organisationID, field: "organisation_id")
            guard let kind = AgreementKind(request.kind) else {
                throw RPCError.invalid("kind", "must be standard or custom")
            }
            let reference = try FieldCheck.text(
                request.reference, field: "reference", min: Agreement.referenceLength.lowerBound,
                max: Agreement.referenceLength.upperBound)
            guard let date = CalendarDate(request.signedDate) else {
                throw RPCError.invalid("signed_date", "must be a day, written YYYY-MM-DD")
            }
            guard !date.isFuture(at: now) else { throw RPCError.invalid("signed_date", "must not be in the future") }
            let range = Agreement.capRange
            guard let cap = Int(exactly: request.capDays), range.contains(cap) else {
                throw RPCError.invalid("cap_days", "must be \(range.lowerBound) to \(range.upperBound)")
            }
            let agreement = try await store.record(
                organisationID: request.organisationID, kind: kind, reference: reference, signedDate: date,
                capDays: cap, at: now)
            signal.signal()
            return RetentionV1.Agreement(agreement)
        }
    }

    package func getAgreement(
        _ request: RetentionV1.GetAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            guard let agreement = try await store.agreement(of: request.organisationID) else {
                throw RetentionError.agreementNotFound
            }
            return RetentionV1.Agreement(agreement)
        }
    }

    package func setPolicy(
        _ request: RetentionV1.SetPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.Policy {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            let policy = try await store.setPolicy(
                organisationID: request.organisationID, retentionDays: Int(request.retentionDays), at: clock.now())
            signal.signal()
            return RetentionV1.Policy(policy)
        }
    }

    package func getPolicy(
        _ request: RetentionV1.GetPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.Policy {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            guard let policy = try await store.policy(of: request.organisationID) else {
                throw RetentionError.agreementNotFound
            }
            return RetentionV1.Policy(policy)
        }
    }

    func requireOrganisation(_ id: String, _ call: ServerCall) throws {
        try FieldCheck.identifier(id, field: "organisation_id")
        try call.requireOrganisation(id)
    }
}

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
            let now = clock.confirmed()
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
            try await identity.requireOrganisation(request.organisationID)
            let agreement = try await store.record(
                organisationID: request.organisationID, kind: kind, reference: reference, signedDate: date,
                capDays: cap, at: now)
            return try await message(agreement, at: now)
        }
    }

    private func message(_ agreement: Agreement, at now: Date) async throws -> RetentionV1.Agreement {
        RetentionV1.Agreement(agreement, isPending: try await store.isConfirmationPending(agreement, at: now))
    }

    package func getAgreement(
        _ request: RetentionV1.GetAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            guard let agreement = try await store.agreement(of: request.organisationID) else {
                throw RetentionError.agreementNotFound
            }
            return try await message(agreement, at: clock.confirmed())
        }
    }

    package func previewAgreement(
        _ request: RetentionV1.PreviewAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.RetentionPreview {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            let (preview, agreement) = try await store.preview(of: request.organisationID, at: clock.confirmed()) {
                agreement, _ in agreement.capDays
            }
            return RetentionV1.RetentionPreview(preview, under: agreement)
        }
    }

    package func confirmAgreement(
        _ request: RetentionV1.ConfirmAgreementRequest, call: ServerCall
    ) async throws -> RetentionV1.Agreement {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            let now = clock.confirmed()
            let agreement = try await store.confirmAgreement(
                organisationID: request.organisationID, version: Int64(request.agreementVersion),
                // A cap is a day at least.
                confirmation: ShorteningConfirmation(
                    erasures: Int(request.expectedErasures), zeroDays: false, previewVersion: request.previewVersion),
                at: now)
            noteShortening()
            return try await message(agreement, at: now)
        }
    }

    package func previewPolicy(
        _ request: RetentionV1.PreviewPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.RetentionPreview {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            let (preview, agreement) = try await store.preview(of: request.organisationID, at: clock.confirmed()) {
                agreement, policy in
                try policy.setting(retentionDays: Int(request.retentionDays), under: agreement).retentionDays
            }
            return RetentionV1.RetentionPreview(preview, under: agreement)
        }
    }

    package func setPolicy(
        _ request: RetentionV1.SetPolicyRequest, call: ServerCall
    ) async throws -> RetentionV1.Policy {
        try await RPCError.mapping {
            try requireOrganisation(request.organisationID, call)
            let policy = try await store.setPolicy(
                organisationID: request.organisationID, retentionDays: Int(request.retentionDays),
                confirmation: ShorteningConfirmation(
                    erasures: Int(request.expectedErasures), zeroDays: request.confirmZeroDays,
                    previewVersion: request.previewVersion),
                at: clock.confirmed())
            noteShortening()
            return RetentionV1.Policy(policy)
        }
    }

    /// Sessions may be due at once, and chat has to know of the others.
    private func noteShortening() {
        signal.signal()
        announcing.signal()
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

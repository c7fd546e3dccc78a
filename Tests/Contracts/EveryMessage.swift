import Contracts
import ProtobufC
import RPC

/// Every message of the project's own packages.
enum EveryMessage {
    static let types: [any ProtobufMessage.Type] = identity + chat + retention + deployment + clock

    private static let identity: [any ProtobufMessage.Type] = [
        IdentityV1.Organisation.self, IdentityV1.Administrator.self, IdentityV1.CreateOrganisationRequest.self,
        IdentityV1.GetOrganisationRequest.self, IdentityV1.ListOrganisationsRequest.self,
        IdentityV1.ListOrganisationsResponse.self, IdentityV1.AddAdministratorRequest.self,
        IdentityV1.ListAdministratorsRequest.self, IdentityV1.ListAdministratorsResponse.self,
        IdentityV1.CreateSignInCodeRequest.self, IdentityV1.SignInCode.self, IdentityV1.SignInRequest.self,
        IdentityV1.SignInResponse.self, IdentityV1.RefreshTokensRequest.self, IdentityV1.RevokeTokensRequest.self,
        IdentityV1.RevokeTokensResponse.self, IdentityV1.ListSigningKeysRequest.self, IdentityV1.SigningKey.self,
        IdentityV1.ListSigningKeysResponse.self, IdentityV1.RemoveAdministratorRequest.self,
        IdentityV1.RemoveAdministratorResponse.self, IdentityV1.ListRevokedSignInsRequest.self,
        IdentityV1.ListRevokedSignInsResponse.self, IdentityV1.GetOrganisationNameRequest.self,
        IdentityV1.OrganisationName.self, IdentityV1.ListSignInCodesRequest.self,
        IdentityV1.ListSignInCodesResponse.self, IdentityV1.RevokeSignInCodeRequest.self,
    ]

    private static let chat: [any ProtobufMessage.Type] = [
        ChatV1.Session.self, ChatV1.Answer.self, ChatV1.Question.self, ChatV1.CreateSessionRequest.self,
        ChatV1.GetSessionRequest.self, ChatV1.ListSessionsRequest.self, ChatV1.ListSessionsResponse.self,
        ChatV1.OpenSessionRequest.self, ChatV1.EndSessionRequest.self, ChatV1.JoinSessionRequest.self,
        ChatV1.JoinSessionResponse.self, ChatV1.AskQuestionRequest.self, ChatV1.PublishQuestionRequest.self,
        ChatV1.RejectQuestionRequest.self, ChatV1.AnswerQuestionRequest.self, ChatV1.ListQuestionsRequest.self,
        ChatV1.ListQuestionsResponse.self, ChatV1.WatchSessionRequest.self, ChatV1.SessionEvent.self,
        ChatV1.ReadSessionLogRequest.self, ChatV1.SessionLogEntry.self, ChatV1.EraseSessionContentRequest.self,
        ChatV1.EraseSessionContentResponse.self, ChatV1.SetSessionDeadlineRequest.self,
        ChatV1.SetSessionDeadlineResponse.self, ChatV1.GetControllerRequest.self, ChatV1.Controller.self,
        ChatV1.DeleteQuestionRequest.self, ChatV1.DeleteQuestionResponse.self,
    ]

    private static let retention: [any ProtobufMessage.Type] = [
        RetentionV1.Agreement.self, RetentionV1.Policy.self, RetentionV1.RecordAgreementRequest.self,
        RetentionV1.GetAgreementRequest.self, RetentionV1.SetPolicyRequest.self, RetentionV1.GetPolicyRequest.self,
        RetentionV1.OpenSessionRequest.self, RetentionV1.SessionKey.self, RetentionV1.GetSessionKeyRequest.self,
        RetentionV1.EndSessionRequest.self, RetentionV1.EndSessionResponse.self, RetentionV1.EraseSessionRequest.self,
        RetentionV1.ExportSessionRequest.self, RetentionV1.ExportChunk.self, RetentionV1.GetCertificateRequest.self,
        RetentionV1.ListCertificatesRequest.self, RetentionV1.ListCertificatesResponse.self,
        RetentionV1.Certificate.self, RetentionV1.GetLedgerKeyRequest.self, RetentionV1.LedgerKey.self,
        RetentionV1.PreviewAgreementRequest.self, RetentionV1.ConfirmAgreementRequest.self,
        RetentionV1.PreviewPolicyRequest.self, RetentionV1.RetentionPreview.self, RetentionV1.MovedSession.self,
        RetentionV1.GetSessionDeadlinesRequest.self, RetentionV1.SessionDeadline.self,
        RetentionV1.GetLedgerStateRequest.self, RetentionV1.AcceptLedgerAnchorRequest.self,
        RetentionV1.LedgerState.self,
        RetentionV1.GetSessionDeadlinesResponse.self, RetentionV1.WithdrawSessionRequest.self,
        RetentionV1.WithdrawSessionResponse.self, RetentionV1.BeginKeyChangeRequest.self,
        RetentionV1.FinishKeyChangeRequest.self,
    ]

    private static let clock: [any ProtobufMessage.Type] = [
        BackupV1.CopyContentRequest.self, BackupV1.BackupChunk.self, BackupV1.RecordKeyCopyRequest.self,
        BackupV1.KeyCopy.self, BackupV1.CopyKeysRequest.self, BackupV1.FinishKeyCopyRequest.self,
        BackupV1.FinishKeyCopyResponse.self,
        ClockV1.Clock.self, ClockV1.GetClockRequest.self, ClockV1.ConfirmClockRequest.self,
        ClockV1.SetClockMarkRequest.self,
    ]

    private static let deployment: [any ProtobufMessage.Type] = [
        DeploymentV1.ListRegionsRequest.self, DeploymentV1.DeclaredRegion.self, DeploymentV1.ListRegionsResponse.self,
    ]
}

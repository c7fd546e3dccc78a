import Contracts

/// Who is meant to be able to call what, written by hand and looked at by whoever changes it: a contract that loses a
/// restriction, by mistake or otherwise, disagrees with this file. Every method has a line; one without fails the tests.
enum AccessExpectations {
    /// A method, and whose token it takes for a peer in each role: anybody's or none ("anyone"), a participant's, an
    /// administrator's, or "-" where the role itself is refused. The last column is left out where it is "-".
    private static let table = """
        method                         gateway        backend        operator  service   backup

        identity.CreateOrganisation    -              -              anyone    -
        identity.GetOrganisation       administrator  administrator  anyone    -
        identity.GetOrganisationName   -              -              -         anyone
        identity.ListOrganisations     -              -              anyone    -
        identity.AddAdministrator      administrator  administrator  anyone    -
        identity.ListAdministrators    administrator  administrator  anyone    -
        identity.RemoveAdministrator   administrator  administrator  anyone    -
        identity.CreateSignInCode      administrator  administrator  anyone    -
        identity.ListSignInCodes       administrator  administrator  anyone    -
        identity.RevokeSignInCode      administrator  administrator  anyone    -
        identity.SignIn                anyone         anyone         -         -
        identity.RefreshTokens         anyone         anyone         -         -
        identity.RevokeTokens          anyone         anyone         anyone    -
        identity.ListRevokedSignIns    -              -              -         anyone
        identity.ListSigningKeys       anyone         anyone         anyone    anyone

        chat.CreateSession             administrator  administrator  -         -
        chat.GetSession                anyone         anyone         -         -
        chat.GetController             anyone         anyone         -         -
        chat.ListSessions              administrator  administrator  -         -
        chat.OpenSession               administrator  administrator  -         -
        chat.EndSession                administrator  administrator  -         -
        chat.JoinSession               anyone         anyone         -         -
        chat.AskQuestion               participant    participant    -         -
        chat.PublishQuestion           administrator  administrator  -         -
        chat.RejectQuestion            administrator  administrator  -         -
        chat.DeleteQuestion            participant/administrator participant/administrator - -
        chat.AnswerQuestion            administrator  administrator  -         -
        chat.ListQuestions             anyone         anyone         -         -
        chat.WatchSession              anyone         anyone         -         -
        chat.ReadSessionLog            -              -              -         anyone
        chat.SetSessionDeadline        -              -              -         anyone
        chat.EraseSessionContent       -              -              -         anyone

        retention.RecordAgreement      -              -              anyone    -
        retention.GetAgreement         administrator  administrator  anyone    -
        retention.PreviewAgreement     administrator  administrator  -         -
        retention.ConfirmAgreement     administrator  administrator  -         -
        retention.PreviewPolicy        administrator  administrator  -         -
        retention.SetPolicy            administrator  administrator  -         -
        retention.GetPolicy            administrator  administrator  anyone    -
        retention.OpenSession          -              -              -         anyone
        retention.GetSessionKey        -              -              -         anyone
        retention.WithdrawSession      -              -              -         anyone
        retention.BeginKeyChange       -              -              -         anyone
        retention.FinishKeyChange      -              -              -         anyone
        retention.EndSession           -              -              -         anyone
        retention.GetSessionDeadlines  -              -              -         anyone
        retention.EraseSession         administrator  administrator  anyone    -
        retention.ExportSession        administrator  administrator  -         -
        retention.GetCertificate       administrator  administrator  anyone    -
        retention.ListCertificates     administrator  administrator  anyone    -
        retention.GetLedgerKey         anyone         anyone         anyone    -
        retention.GetLedgerState       -              -              anyone    -
        retention.AcceptLedgerAnchor   -              -              anyone    -

        deployment.ListRegions         anyone         anyone         anyone    anyone    anyone

        clock.GetClock                 -              -              anyone    -
        clock.ConfirmClock             -              -              anyone    -
        clock.SetClockMark             -              -              anyone    -

        backup.CopyContent             -              -              -         -         anyone
        backup.RecordKeyCopy           -              -              -         -         anyone
        backup.CopyKeys                -              -              -         -         anyone
        backup.FinishKeyCopy           -              -              -         -         anyone
        """

    struct Line: Sendable {
        /// "/samtal.chat.v1.ChatService/AskQuestion".
        var path: String
        /// The principals of which each role needs one; a role that isn't in it is refused.
        var needs: [PeerRole: Set<PrincipalKind>]

        /// The reason a call is refused with; nil when it may go on.
        /// - Parameters:
        ///   - roles: all that the peer acts in.
        ///   - principal: whose token the call carries.
        func refusal(roles: Set<PeerRole>, principal: PrincipalKind) -> String? {
            let needed = roles.reduce(into: Set<PrincipalKind>()) { $0.formUnion(needs[$1] ?? []) }
            if needed.isEmpty { return "ROLE_NOT_ALLOWED" }
            if needed.contains(.anyone) || needed.contains(principal) { return nil }
            return principal == .anyone ? "TOKEN_REQUIRED" : "PRINCIPAL_NOT_ALLOWED"
        }
    }

    static let lines: [Line] = {
        let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let roles = rows[0].dropFirst().map { PeerRole(rawValue: $0) }
        return rows.dropFirst().map { row in
            let name = row[0].split(separator: ".").map(String.init)
            let service = name[0].prefix(1).uppercased() + name[0].dropFirst()
            var needs: [PeerRole: Set<PrincipalKind>] = [:]
            for (role, word) in zip(roles, row.dropFirst()) where word != "-" {
                let kinds = word.split(separator: "/").compactMap { PrincipalKind(rawValue: String($0)) }
                guard let role, !kinds.isEmpty else {
                    preconditionFailure("\(row): not a role, or not a principal")
                }
                needs[role] = Set(kinds)
            }
            return Line(path: "/samtal.\(name[0]).v1.\(service)Service/\(name[1])", needs: needs)
        }
    }()
}

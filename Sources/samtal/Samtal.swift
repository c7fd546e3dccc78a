import ArgumentParser
import ServiceKit

/// The command line. The operator sets organisations up, looks after the processes and verifies; whoever exports or
/// erases acts with an administrator's sign-in.
@main
struct Samtal: CheckedCommand {
    static let configuration = CommandConfiguration(
        commandName: "samtal",
        abstract: "Runs Samtal: organisations, agreements, sign-in links, export, erasure and its proof.",
        discussion: """
            Every command talks to the services over the sockets in the data folder, \
            except verify, which needs nothing but the files it is given. What touches \
            content acts for an administrator: sign-in, then export, erase, policy set.

            A first organisation, with the administrator who can then sign in:

              samtal organisation create "Exempelredaktionen" \\
                --administrator anna@example.se --name "Anna Exempel"
              samtal agreement record ORGANISATION --reference DPA-1 \\
                --signed 2026-01-15 --cap-days 30
              samtal sign-in-link anna@example.se
            """,
        subcommands: [
            OrganisationCommand.self, AdministratorCommand.self, AgreementCommand.self, PolicyCommand.self,
            SignInLink.self, SignInCodeCommand.self, SignIn.self, SignOut.self, Status.self, ClockCommand.self,
            Export.self, Erase.self,
            Certificates.self,
            LedgerKeyCommand.self, LedgerAnchorCommand.self, BackupCommand.self, RestoreCommand.self,
            Verify.self, Demo.self,
        ])
}

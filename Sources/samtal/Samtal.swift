import ArgumentParser
import Foundation

/// The command line. The operator sets organisations up, looks after the processes and verifies; whoever exports or
/// erases acts with an administrator's sign-in.
@main
struct Samtal: AsyncParsableCommand {
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
            SignInLink.self, SignIn.self, SignOut.self, Status.self, Export.self, Erase.self, Certificates.self,
            LedgerKeyCommand.self,
            Verify.self, Demo.self,
        ])

    /// As the library does it, with what it prints itself checked as well.
    static func main() async {
        StandardStreams.occupy()
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Foundation.exit(report(error))
        }
    }

    /// Says why a command ends: help that was asked for on standard output, anything else on standard error.
    ///
    /// - Returns: the exit code.
    private static func report(_ error: any Error) -> Int32 {
        let (code, text) = (exitCode(for: error), fullMessage(for: error))
        guard !text.isEmpty else { return code.rawValue }
        guard code.isSuccess else {
            StandardStreams.complain(text)
            return code.rawValue
        }
        do {
            try say(text)
            return code.rawValue
        } catch {
            StandardStreams.complain(fullMessage(for: error))
            return exitCode(for: error).rawValue
        }
    }
}

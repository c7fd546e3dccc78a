public import ArgumentParser
internal import Foundation

/// A program's command, run as the argument parser's library does it, with what that prints itself checked as well: help
/// that can't be written is a failure, and not an exit with 0 and silence.
public protocol CheckedCommand: AsyncParsableCommand {}

extension CheckedCommand {
    public static func main() async {
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
        do throws(SystemError) {
            try StandardStreams.say(text)
            return code.rawValue
        } catch {
            StandardStreams.complain("Error: Standard output can't be written (\(error)).")
            return ExitCode.failure.rawValue
        }
    }
}

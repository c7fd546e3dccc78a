import Foundation
import ServiceKit

/// Prints a line on standard output, at once and whole.
///
/// - Throws: `CommandFailure` when it can't be written, such as on a full disk. Where nobody reads any more, the process
///   ends quietly, as other tools do.
func say(_ line: String) throws {
    do throws(SystemError) {
        try StandardStreams.say(line)
    } catch {
        throw CommandFailure(
            """
            Standard output can't be written (\(error)). What was asked for may have been carried out all the same: \
            look before you ask for it again.
            """)
    }
}

/// Prints a line about the output file that was written to `path`; on standard error when that was standard output,
/// where it would be taken for a part of the file.
func say(_ line: String, beside path: String) throws {
    if try OutputTarget(path: path) == .descriptor(STDOUT_FILENO) {
        StandardStreams.complain(line)
    } else {
        try say(line)
    }
}

@available(*, unavailable, message: "what print can't write is lost; say(_:) says so")
func print(_ items: Any...) {}

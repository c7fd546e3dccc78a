package import Foundation

/// What an export holds: written last, when everything has been counted.
package struct ExportManifest: Sendable, Equatable {
    package struct File: Sendable, Equatable {
        package var name: String
        package var bytes: Int64
        package var sha256: String
        package var questions: Int64
        package var answers: Int64

        package init(name: String, bytes: Int64, sha256: String, questions: Int64, answers: Int64) {
            self.name = name
            self.bytes = bytes
            self.sha256 = sha256
            self.questions = questions
            self.answers = answers
        }
    }

    package static let format = "samtal-export-manifest"
    package static let version = 1

    package var sessionID: String
    package var organisationID: String
    package var exportTime: Date
    package var files: [File]

    package init(sessionID: String, organisationID: String, exportTime: Date, files: [File]) {
        self.sessionID = sessionID
        self.organisationID = organisationID
        self.exportTime = exportTime
        self.files = files
    }

    /// JSON in canonical form, with a line feed at its end.
    package var encoded: [UInt8] {
        let files = files.map { file in
            CanonicalJSON.object([
                "answers": .integer(file.answers),
                "bytes": .integer(file.bytes),
                "name": .string(file.name),
                "questions": .integer(file.questions),
                "sha256": .string(file.sha256),
            ])
        }
        let document = CanonicalJSON.object([
            "export_time": .string(LedgerTime.text(exportTime)),
            "files": .array(files),
            "format": .string(Self.format),
            "organisation": .string(organisationID),
            "session": .string(sessionID),
            "version": .integer(Int64(Self.version)),
        ])
        return Array((document.text + "\n").utf8)
    }
}

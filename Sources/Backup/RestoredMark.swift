package import Foundation

/// Left in a service's folder when a copy is put there, until the service has drawn its conclusions.
package struct RestoredMark: Sendable, Equatable, Codable {
    package static let fileName = "restored"

    /// When the copy was taken.
    package var copyTime: Date
    /// When it was put back.
    package var restoreTime: Date
    /// Whether everybody is to sign in anew.
    package var endsSignIns: Bool

    package init(copyTime: Date, restoreTime: Date, endsSignIns: Bool = false) {
        self.copyTime = copyTime
        self.restoreTime = restoreTime
        self.endsSignIns = endsSignIns
    }

    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.dateEncodingStrategy = .iso8601
        return Array(try encoder.encode(self)) + [10]
    }

    /// - Returns: nil where there is none. One that can't be read says that a copy was put back all the same, now.
    package static func read(in folder: String, now: Date) -> RestoredMark? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(fileName)") else { return nil }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return (try? decoder.decode(Self.self, from: data)) ?? RestoredMark(copyTime: .distantPast, restoreTime: now)
    }

    package static func remove(in folder: String) throws {
        try FileManager.default.removeItem(atPath: "\(folder)/\(fileName)")
    }
}

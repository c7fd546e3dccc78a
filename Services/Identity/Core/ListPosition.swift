package import Foundation

/// Where a list goes on: after the entry with this creation time and id, the order in which all lists are given.
///
/// A position stays right whatever is added or removed between two pages, which a count of entries does not.
package struct ListPosition: Sendable, Equatable {
    package let createTime: Date
    package let id: String

    package init(createTime: Date, id: String) {
        self.createTime = createTime
        self.id = id
    }

    /// The position as text: milliseconds in hexadecimal, a full stop, the id.
    package var key: String {
        "\(String(createTime.millisecondsSince1970, radix: 16)).\(id)"
    }

    /// Far beyond every creation time, and small enough that no arithmetic on a hostile key overflows.
    private static let milliseconds: Range<Int64> = 0..<(1 << 48)

    /// Nil if it is no text that `key` makes.
    package init?(key: String) {
        guard key.utf8.count <= 96 else { return nil }
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0], radix: 16), Self.milliseconds.contains(milliseconds),
            (1...64).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
        else { return nil }
        self.init(createTime: Date(millisecondsSince1970: milliseconds), id: String(parts[1]))
        guard self.key == key else { return nil }
    }
}

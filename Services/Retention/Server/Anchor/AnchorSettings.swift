/// Where the ledger's anchor is.
package struct AnchorSettings: Sendable, Equatable {
    /// Its folder; nil: one beside the data.
    package var folder: String?

    package init(folder: String? = nil) { self.folder = folder }

    /// In the data folder, beside retention's own.
    static func besideData(_ ownFolder: String) -> String {
        let parent = ownFolder.lastIndex(of: "/").map { ownFolder[..<$0] } ?? "."
        return "\(parent)/ledger-anchor"
    }
}

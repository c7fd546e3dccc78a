package import Privacy
internal import Synchronization

/// Where data is kept, as each process declares: the gateway of itself, and each neighbour once it has been heard from.
/// What a neighbour has declared stands until it declares something else.
package final class KnownRegions: Sendable {
    package static let ownName = "gateway"

    private let own: Region
    private let told = Mutex<[String: Region]>([:])

    package init(own: Region) { self.own = own }

    package func note(_ region: Region, of neighbour: String) {
        told.withLock { $0[neighbour] = region }
    }

    package var neighbours: [String: Region] { told.withLock { $0 } }

    /// The gateway's own first, then the neighbours' in the order of their names.
    package var all: [(process: String, region: Region)] {
        [(Self.ownName, own)] + neighbours.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

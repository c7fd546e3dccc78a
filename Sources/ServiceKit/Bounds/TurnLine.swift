/// Those who wait for a turn, in the order of their turns.
///
/// Each waits at the end of a path, such as an address and a token: on every level those who share what is above take turns,
/// so that an address with a thousand calls waits behind itself and not in front of one with a single call, and of one
/// address a token does the same. At the end of a path the first to come is first.
///
/// Adding one takes time in proportion to the path's length, taking one out besides to how many wait beside it.
struct TurnLine: Sendable {
    /// At the end of a path.
    private var tickets: [UInt64] = []
    /// None of them is empty.
    private var branches: [String: TurnLine] = [:]
    /// The keys of `branches`, in the order of their turns.
    private var order: [String] = []

    var isEmpty: Bool { tickets.isEmpty && branches.isEmpty }

    /// - Parameter path: as long as everybody else's.
    mutating func append(_ ticket: UInt64, at path: ArraySlice<String>) {
        guard let key = path.first else { return tickets.append(ticket) }
        if branches[key] == nil { order.append(key) }
        branches[key, default: TurnLine()].append(ticket, at: path.dropFirst())
    }

    /// Takes out whose turn it is.
    mutating func next() -> UInt64? {
        guard !order.isEmpty else { return tickets.isEmpty ? nil : tickets.removeFirst() }
        let key = order.removeFirst()
        let ticket = branches[key]?.next()
        if branches[key]?.isEmpty == false {
            order.append(key)
        } else {
            branches[key] = nil
        }
        return ticket
    }

    /// Takes one out who waits no more.
    mutating func remove(_ ticket: UInt64, at path: ArraySlice<String>) {
        guard let key = path.first else { return tickets.removeAll { $0 == ticket } }
        branches[key]?.remove(ticket, at: path.dropFirst())
        guard branches[key]?.isEmpty == true else { return }
        branches[key] = nil
        order.removeAll { $0 == key }
    }
}

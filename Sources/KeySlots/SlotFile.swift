internal import Foundation

/// The file of the slots: a block that says what it is, then extents, each written whole with zeros before any slot of
/// it is used. A slot has a copy in either half of its extent, or none.
final class SlotFile {
    private static let magic = Array("SAMTAL KEY SLOTS".utf8)

    private let file: PlacedFile
    let slotsPerExtent: Int
    private(set) var extentCount: Int

    private var halfBytes: Int { slotsPerExtent * SlotRecord.byteCount }

    init(path: String, slotsPerExtent: Int) throws(KeySlotError) {
        if access(path, F_OK) != 0 { try Self.create(path: path, slotsPerExtent: slotsPerExtent) }
        file = try PlacedFile(path: path)
        let head = try file.read(at: 0, count: PlacedFile.blockSize)
        guard head.starts(with: Self.magic), head[16] == 1 else {
            throw KeySlotError(.malformed, "the file of the key slots is of a kind or version that is not known here")
        }
        self.slotsPerExtent = Int(UInt32(bigEndianBytes: head[17..<21]))
        // An extent that was cut short while it was appended was in nobody's use.
        extentCount = (file.size - PlacedFile.blockSize) / (2 * self.slotsPerExtent * SlotRecord.byteCount)
    }

    private static func create(path: String, slotsPerExtent: Int) throws(KeySlotError) {
        let temporary = path + ".new"
        unlink(temporary)
        let new = try PlacedFile(path: temporary, isNew: true)
        let head = head(slotsPerExtent: slotsPerExtent)
        try new.write(head, at: 0)
        try new.write([UInt8](repeating: 0, count: 2 * slotsPerExtent * SlotRecord.byteCount), at: head.count)
        try new.synchronise()
        guard rename(temporary, path) == 0 else {
            throw KeySlotError(.inputOutput, "the file of the key slots can't be named", errno: errno)
        }
        try PlacedFile.synchroniseFolder((path as NSString).deletingLastPathComponent)
    }

    /// The block that says what the file is.
    static func head(slotsPerExtent: Int) -> [UInt8] {
        var head = magic + [1]
        head.append(bigEndian: UInt32(slotsPerExtent))
        return head + [UInt8](repeating: 0, count: PlacedFile.blockSize - head.count)
    }

    /// - Throws: ``KeySlotError/Code/full``; the file is then as it was.
    func appendExtent() throws(KeySlotError) {
        let end = offset(ofExtent: extentCount)
        do {
            try file.write([UInt8](repeating: 0, count: 2 * halfBytes), at: end)
            try file.synchronise()
        } catch {
            file.truncate(to: end)
            throw error
        }
        extentCount += 1
    }

    /// Both halves of an extent, one after the other.
    func readExtent(_ extent: Int) throws(KeySlotError) -> [UInt8] {
        try file.read(at: offset(ofExtent: extent), count: 2 * halfBytes)
    }

    func read(_ place: SlotTable.Place) throws(KeySlotError) -> SlotRecord.Reading {
        SlotRecord.read(try file.read(at: offset(of: place), count: SlotRecord.byteCount)[...])
    }

    func write(_ record: SlotRecord, at place: SlotTable.Place) throws(KeySlotError) {
        try file.write(record.bytes, at: offset(of: place))
    }

    func write(_ record: [UInt8], at place: SlotTable.Place) throws(KeySlotError) {
        try file.write(record, at: offset(of: place))
    }

    func clear(_ place: SlotTable.Place) throws(KeySlotError) { try write(SlotRecord.empty, at: place) }

    func synchronise() throws(KeySlotError) { try file.synchronise() }

    func readBack(_ place: SlotTable.Place) throws(KeySlotError) -> (bytes: [UInt8], way: ReadBack) {
        try file.readBack(at: offset(of: place), count: SlotRecord.byteCount)
    }

    func physicalPlace(of place: SlotTable.Place) -> UInt64? { file.physicalPlace(of: offset(of: place)) }

    /// What can be seen of the file itself, besides the file system it is on.
    var risks: Set<Medium.Risk> {
        var risks: Set<Medium.Risk> = []
        if file.isJournalledOrCompressed { risks.insert(.dataJournal) }
        if file.sharesBlocks(every: halfBytes) { risks.insert(.sharedBlocks) }
        return risks
    }

    private func offset(ofExtent extent: Int) -> Int { PlacedFile.blockSize + extent * 2 * halfBytes }

    private func offset(of place: SlotTable.Place) -> Int {
        offset(ofExtent: place.slot / slotsPerExtent) + place.half * halfBytes
            + place.slot % slotsPerExtent * SlotRecord.byteCount
    }
}

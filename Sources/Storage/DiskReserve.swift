internal import Foundation
public import Logging
internal import Synchronization

/// Room on a disk that only what erases may use: a preallocated file, given up when there is no other room, and made
/// again when there is.
///
/// At a full disk nothing can be stored, so nobody could ask for an erasure, end a session or shorten a retention time any
/// more. What keeps more is therefore refused while there is still as much room again as the reserve holds
/// (``admit()``), and what erases is done a second time without the reserve (``erasing(_:)``).
///
/// Thread-safe. The state's lock is held while the file is made, which takes milliseconds.
public final class DiskReserve: Sendable {
    /// The file's name in its folder.
    public static let name = "reserve"
    /// At most this part of the disk is kept, so that a small one can be used at all.
    static let part: Int64 = 8
    /// For how long, and how often, one look at the disk is good while it is far from full: a question must not cost a
    /// system call.
    private static let pause = Duration.milliseconds(250)
    private static let uses = 64
    /// Within so many times the reserve it is looked at each time.
    private static let near: Int64 = 8

    private struct State {
        var isWhole = false
        var hasRoom = true
        var isNear = true
        var looked: ContinuousClock.Instant?
        var usesLeft = 0
        var wasGivenUp = false
    }

    /// Of the file, and of the room beside it that is left free.
    public let bytes: Int64
    private let folder: String
    private let path: String
    private let logger: Logger
    private let state = Mutex(State())

    /// Makes the file, or keeps the one that is there. Without room for it, it is made later.
    /// - Parameters:
    ///   - folder: Made where missing.
    ///   - wanted: Bytes, of which an eighth of the disk is kept at most; 0: nothing is kept or refused.
    /// - Throws: ``StorageError`` if the folder can't be used.
    public init(in folder: String, bytes wanted: Int64, logger: Logger) throws(StorageError) {
        self.folder = folder
        self.logger = logger
        path = "\(folder)/\(Self.name)"
        try DatabaseFiles.createFolder(of: path)
        let disk = try Self.look(at: folder)
        bytes = max(0, min(wanted, disk.size / Self.part))
        if bytes == 0 {
            unlink(path)
        } else {
            state.withLock { look(&$0) }
        }
    }

    /// How much of it there is: all or nothing.
    public var held: Int64 { state.withLock { $0.isWhole ? bytes : 0 } }

    /// Asks for room to keep something new.
    /// - Throws: ``StorageError``: `full` if there is no more than what is left for erasing. Costs a lock, and on a
    ///   nearly full disk a system call.
    public func admit() throws(StorageError) {
        guard bytes > 0 else { return }
        let isAdmitted = state.withLock { state in
            lookIfDue(&state)
            return state.isWhole && state.hasRoom
        }
        if !isAdmitted { throw StorageError(.full, "what room is left is kept for erasing: the disk is full") }
    }

    /// Does something that erases, and if the disk is full does it again without the reserve. What is thrown by the first
    /// time must leave nothing behind that the second stumbles over.
    public func erasing<T>(_ body: () async throws -> T) async throws -> T {
        do {
            let value = try await body()
            if bytes > 0 { state.withLock { lookIfDue(&$0) } }
            return value
        } catch let error as StorageError where error.code == .full && bytes > 0 {
            giveUp()
            return try await body()
        }
    }

    /// Frees the file's blocks, which needs none.
    private func giveUp() {
        let wasWhole = state.withLock { state in
            guard state.isWhole else { return false }
            state = State(isWhole: false, hasRoom: false, looked: .now, wasGivenUp: true)
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return true }
            defer { close(file) }
            // Blocks are free for others when the file system's own log is written.
            if ftruncate(file, 0) == 0 { fsync(file) }
            return true
        }
        guard wasWhole else { return }
        logger.warning(
            "the disk is full: what was kept for erasing is being used, and nothing else is stored until there is room")
    }

    private func lookIfDue(_ state: inout State) {
        state.usesLeft -= 1
        if !state.isNear, state.usesLeft > 0, let looked = state.looked, looked.duration(to: .now) < Self.pause {
            return
        }
        look(&state)
    }

    private func look(_ state: inout State) {
        (state.looked, state.usesLeft) = (.now, Self.uses)
        guard var disk = try? Self.look(at: folder) else { return }
        if !state.isWhole, disk.free >= 2 * bytes || isAllocated {
            state.isWhole = allocate()
            if state.isWhole, state.wasGivenUp {
                state.wasGivenUp = false
                logger.notice("there is room on the disk again, and some of it is kept for erasing")
            }
            disk = (try? Self.look(at: folder)) ?? disk
        }
        state.hasRoom = disk.free >= bytes
        state.isNear = disk.free < Self.near * bytes
    }

    /// Whether an earlier process has made it.
    private var isAllocated: Bool {
        var status = stat()
        return stat(path, &status) == 0 && Int64(status.st_blocks) * 512 >= bytes
    }

    private func allocate() -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        guard posix_fallocate(file, 0, Int(bytes)) == 0, ftruncate(file, Int(bytes)) == 0, fsync(file) == 0 else {
            ftruncate(file, 0)
            return false
        }
        return true
    }

    /// What a disk has in all, and what is left of it for who is not root.
    private static func look(at folder: String) throws(StorageError) -> (size: Int64, free: Int64) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            throw StorageError(errno: errno, "the disk can't be looked at")
        }
        let block = Int64(status.f_frsize)
        return (Int64(status.f_blocks) * block, Int64(status.f_bavail) * block)
    }
}

import Foundation

/// The input that is running, in a file: what is left of it when the process crashes.
final class CurrentInput {
    let path: String
    private let descriptor: Int32

    init(_ target: FuzzTarget) {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "samtal-fuzz-\(target.rawValue)-\(ProcessInfo.processInfo.processIdentifier)").path
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    }

    func set(_ bytes: [UInt8]) {
        _ = pwrite(descriptor, bytes, bytes.count, 0)
        _ = ftruncate(descriptor, bytes.count)
    }

    /// It is no longer needed: nothing crashed.
    func remove() {
        unlink(path)
    }

    deinit {
        close(descriptor)
    }
}

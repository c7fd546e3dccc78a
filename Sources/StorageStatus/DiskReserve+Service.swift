public import ServiceKit
public import Storage

extension DiskReserve {
    /// In a service's own folder, as large as its settings say, among its metrics.
    public convenience init(of environment: ServiceEnvironment) throws(StorageError) {
        try self.init(
            in: environment.ownFolder, bytes: environment.diskReserve, logger: environment.logger)
        environment.metrics.describe(
            "disk_reserve_bytes", "Room that is kept for erasing on a full disk; 0 while it is used up.")
        environment.metrics.observe("disk_reserve_bytes", .gauge) { [weak self] in Double(self?.held ?? 0) }
    }
}

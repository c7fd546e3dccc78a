import Glibc

/// The bytes that are allocated in this process.
///
/// Known only under the Address Sanitizer; what must hold about memory is checked there, where nothing else runs.
enum HeapInUse {
    private typealias Count = @convention(c) () -> Int

    private static let count: Count? = {
        // RTLD_DEFAULT, which is a cast and so not imported: every library that is loaded.
        guard let symbol = dlsym(nil, "__sanitizer_get_current_allocated_bytes") else { return nil }
        return unsafeBitCast(symbol, to: Count.self)
    }()

    static var bytes: Int? { count.map { $0() } }
}

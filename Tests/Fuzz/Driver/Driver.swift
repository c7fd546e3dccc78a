import Glibc

/// libFuzzer's side of it: the target is the one that the environment names in SAMTAL_FUZZ_TARGET.
private let target: FuzzTarget = {
    guard let name = getenv("SAMTAL_FUZZ_TARGET").map({ String(cString: $0) }), let target = FuzzTarget(rawValue: name)
    else {
        fatalError("SAMTAL_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func runInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do throws(FuzzFailure) {
        try target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        // The only way to tell libFuzzer that the input is a find.
        fatalError("\(target.rawValue): \(error)")
    }
    return 0
}

internal import CLinux
internal import Foundation

extension Data {
    /// Overwrites the bytes where they lie, for a copy of a key that a library has made. Nothing else may share them.
    mutating func wipe() {
        withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { samtal_wipe(start, bytes.count) }
        }
    }
}

extension [UInt8] {
    /// The same for an array.
    mutating func wipe() {
        withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { samtal_wipe(start, bytes.count) }
        }
    }
}

internal import ProtobufC

extension Metadata {
    /// Adds a pair of any bytes. The name should end in `-bin`; the suffix is added when it doesn't.
    public mutating func addBinary(_ name: String, _ value: [UInt8]) {
        add(Metadata.binaryName(name), Base64.unpadded(value))
    }

    static func binaryName(_ name: String) -> String {
        name.lowercased().hasSuffix("-bin") ? name : name + "-bin"
    }

    /// The bytes of the first pair with that name (ending in `-bin`); nil when there is none or it isn't base64.
    ///
    /// A header may hold several values separated by commas (gRPC over HTTP/2, "Custom-Metadata"): the first counts.
    public subscript(firstBinary name: String) -> [UInt8]? {
        first(name) { value in
            let end = value.firstIndex(of: UInt8(ascii: ",")) ?? value.endIndex
            return Base64.decode(value[..<end])
        } ?? nil
    }

    /// The bytes of every pair with that name (ending in `-bin`), in the order they were sent, with padding or without;
    /// those that aren't base64 are left out.
    ///
    /// Values that were joined with commas on the way are taken apart again.
    public func binaryValues(_ name: String) -> [[UInt8]] {
        var found: [[UInt8]] = []
        forEachPair { pairName, value in
            guard Metadata.matches(pairName, name) else { return true }
            for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                let trimmed = part.drop { $0 == UInt8(ascii: " ") }
                if let bytes = Base64.decode(trimmed) { found.append(bytes) }
            }
            return true
        }
        return found
    }
}

internal import ProtobufC

extension Metadata {
    /// Adds a pair of any bytes. The name should end in `-bin`; the suffix is added when it doesn't.
    public mutating func addBinary(_ name: String, _ value: [UInt8]) {
        add(name.lowercased().hasSuffix("-bin") ? name : name + "-bin", Base64.unpadded(value))
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
}

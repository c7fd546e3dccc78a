/// What of a caller's metadata goes on the wire.
extension Metadata {
    /// These pairs without those that a caller can't send: names reserved for HTTP/2 and gRPC, and what is no name.
    ///
    /// Nearly always all of them: then it costs a look and no copy.
    var sendable: Metadata {
        var isSendable = true
        forEachPair { name, _ in
            isSendable = name.isMetadataName && !name.isReservedName
            return isSendable
        }
        return isSendable ? self : withoutReserved()
    }
}

extension UnsafeRawBufferPointer {
    /// As ``Metadata/isReserved(_:)``, for a name in lower case, where it lies.
    fileprivate var isReservedName: Bool {
        switch first {
        case UInt8(ascii: ":"): true
        case UInt8(ascii: "g"): hasPrefix("grpc-")
        case UInt8(ascii: "c"): self == "content-type" || self == "content-length" || self == "connection"
        case UInt8(ascii: "h"): self == "host"
        case UInt8(ascii: "k"): self == "keep-alive"
        case UInt8(ascii: "p"): self == "proxy-connection"
        case UInt8(ascii: "t"): self == "te" || self == "transfer-encoding"
        case UInt8(ascii: "u"): self == "user-agent" || self == "upgrade"
        default: false
        }
    }
}

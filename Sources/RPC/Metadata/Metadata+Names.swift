/// Which names and values metadata may have (gRPC over HTTP/2, "Custom-Metadata").
extension Metadata {
    /// Whether a name belongs to gRPC or HTTP/2, so that no one's metadata can use it: it begins with `:` or `grpc-`, or
    /// is that of a header of theirs, such as `content-type`, `te` or `connection`.
    public static func isReserved(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix(":") || name.hasPrefix("grpc-") || reserved.contains(name)
    }

    private static let reserved: Set<String> = [
        "content-type", "content-length", "te", "user-agent", "host", "connection", "keep-alive", "proxy-connection",
        "transfer-encoding", "upgrade",
    ]

    /// Whether a handler or a caller may send a pair of that name.
    static func isAllowed(_ name: String) -> Bool {
        var lowered = name.lowercased()
        return lowered.withUTF8 { UnsafeRawBufferPointer($0).isMetadataName } && !isReserved(name)
    }

    /// These pairs without those whose names are reserved or impossible.
    func withoutReserved() -> Metadata {
        var kept = Metadata()
        forEachPair { name, value in
            if Metadata.isAllowed(String(decoding: name, as: UTF8.self)) { kept.append(name: name, value: value) }
            return true
        }
        return kept
    }
}

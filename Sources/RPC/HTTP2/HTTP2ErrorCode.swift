/// The error codes of HTTP/2 (RFC 9113, section 7) that this runtime sends or tells apart.
enum HTTP2ErrorCode: UInt32 {
    case none = 0x0
    case protocolError = 0x1
    case internalError = 0x2
    case refusedStream = 0x7
    case cancel = 0x8
    case enhanceYourCalm = 0xB
    case inadequateSecurity = 0xC
}

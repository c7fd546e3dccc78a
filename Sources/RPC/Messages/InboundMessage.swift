internal import NIOCore

/// A message as it came: without its prefix, and perhaps compressed.
///
/// It stays compressed until its reader is there for it, so that what waits in memory is bounded by what was sent.
struct InboundMessage: Sendable {
    var bytes: ByteBuffer
    var isCompressed = false

    /// What it took of HTTP/2's windows.
    var wireSize: Int { MessageFraming.prefixLength + bytes.readableBytes }

    /// The message itself.
    ///
    /// - Parameters:
    ///   - limit: the longest message accepted, in bytes, after inflating.
    ///   - noun: "request" or "response", for the error.
    func decoded(limit: Int, noun: StaticString) throws(RPCError) -> ByteBuffer {
        guard isCompressed else { return bytes }
        do throws(Gzip.Failure) {
            return try Gzip.inflate(bytes, limit: limit)
        } catch .tooLong {
            throw MessageDeframer.tooLong(noun, limit)
        } catch {
            throw RPCError(.internal, "\(noun): not in the gzip format it says it has")
        }
    }
}

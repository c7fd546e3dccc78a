public import Foundation
public import RPC

extension FieldCheck {
    /// Years 1 to 9999: the range of `google.protobuf.Timestamp` (google/protobuf/timestamp.proto), in seconds.
    private static let timestampSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// A time that must be given, and be one.
    public static func time(_ timestamp: GoogleProtobuf.Timestamp?, field: String) throws(RPCError) -> Date {
        guard let timestamp else { throw .invalid(field, "must be given") }
        guard timestampSeconds.contains(timestamp.seconds), (0...999_999_999).contains(timestamp.nanos) else {
            throw .invalid(field, "is not a time")
        }
        return timestamp.date
    }
}

/// What a gRPC status is over HTTP, after the mapping that google.rpc.Code documents.
package enum StatusMapping {
    private static let table: [(name: String, http: Int)] = [
        ("OK", 200), ("CANCELLED", 499), ("UNKNOWN", 500), ("INVALID_ARGUMENT", 400), ("DEADLINE_EXCEEDED", 504),
        ("NOT_FOUND", 404), ("ALREADY_EXISTS", 409), ("PERMISSION_DENIED", 403), ("RESOURCE_EXHAUSTED", 429),
        ("FAILED_PRECONDITION", 400), ("ABORTED", 409), ("OUT_OF_RANGE", 400), ("UNIMPLEMENTED", 501),
        ("INTERNAL", 500), ("UNAVAILABLE", 503), ("DATA_LOSS", 500), ("UNAUTHENTICATED", 401),
    ]

    /// The HTTP status of a gRPC status code; 500 for a number that is none.
    package static func httpStatus(ofCode code: Int) -> Int {
        table.indices.contains(code) ? table[code].http : 500
    }

    /// The canonical name, such as `NOT_FOUND`; `UNKNOWN` for a number that is none.
    package static func name(ofCode code: Int) -> String {
        table.indices.contains(code) ? table[code].name : "UNKNOWN"
    }
}

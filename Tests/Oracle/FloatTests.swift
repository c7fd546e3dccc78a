import InteropContracts
import ProtobufC
import Testing

@Suite("Numbers with a point in JSON")
struct FloatTests {
    private func float(_ text: String) throws(ProtobufError) -> Float {
        try OracleV1.Single(jsonUTF8: Array(#"{"float": \#(text)}"#.utf8)).float
    }

    @Test("a number that 32 bits can't hold is refused, and doesn't become an infinity", arguments: ["1e39", "-1e39"])
    func tooLarge(text: String) {
        #expect(throws: ProtobufError(field: "float", reason: "must fit into 32 bits")) { try float(text) }
    }

    @Test("the largest number, infinities and what is no number are read")
    func largest() throws {
        #expect(try float("3.4028235e+38") == .greatestFiniteMagnitude)
        #expect(try float(#""-Infinity""#) == -.infinity)
        #expect(try float(#""NaN""#).isNaN)
        #expect(try float("1e-60") == 0)
    }
}

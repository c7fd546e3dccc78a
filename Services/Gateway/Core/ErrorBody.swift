/// The JSON of every error: `{"error":{"code","message","reason","fields":[{"field","reason"}]}}`, and `"bound"` where one
/// was reached.
package struct ErrorBody: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var field: String
        package var reason: String

        package init(field: String, reason: String) {
            self.field = field
            self.reason = reason
        }
    }

    /// The canonical name of a gRPC status.
    package var code: String
    package var message: String
    /// Stable, in capitals; empty if there is none.
    package var reason: String
    package var fields: [Field]
    /// The name of the bound that was reached; empty if none was.
    package var bound: String

    package init(code: String, message: String, reason: String = "", fields: [Field] = [], bound: String = "") {
        self.code = code
        self.message = message
        self.reason = reason
        self.fields = fields
        self.bound = bound
    }

    package var json: String {
        let list = fields.map { "{\"field\":\(JSONText.quoted($0.field)),\"reason\":\(JSONText.quoted($0.reason))}" }
        return "{\"error\":{\"code\":\(JSONText.quoted(code)),\"message\":\(JSONText.quoted(message)),"
            + "\"reason\":\(JSONText.quoted(reason)),\"fields\":[\(list.joined(separator: ","))]"
            + (bound.isEmpty ? "}}" : ",\"bound\":\(JSONText.quoted(bound))}}")
    }
}

/// JSON strings (RFC 8259, section 7).
package enum JSONText {
    /// The text as a JSON string, quotes included. Control characters are escaped, and `<` besides, so that no HTML
    /// can be read into it.
    package static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar == "<" || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

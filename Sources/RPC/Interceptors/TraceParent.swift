/// The text of `traceparent` (W3C Trace Context, section 3.2): `00-<32 digits>-<16 digits>-<2 digits>`, where digits
/// are hexadecimal and lower case.
enum TraceParent {
    static let name = "traceparent"
    /// The length in version 00. A later version may go on after it, with a `-` first.
    static let length = 55

    /// Nil when it isn't well formed; a caller's span then begins a new trace.
    static func parse(_ text: UnsafeRawBufferPointer) -> TraceContext? {
        guard text.count >= length, text.count <= longest,
            let version = number(text[0..<2]), version != 0xFF,
            version == 0 ? text.count == length : text.count == length || text[length] == dash,
            text[2] == dash, text[35] == dash, text[52] == dash,
            let high = number(text[3..<19]), let low = number(text[19..<35]), high != 0 || low != 0,
            let span = number(text[36..<52]), span != 0,
            let flags = number(text[53..<55])
        else { return nil }
        return TraceContext(
            trace: TraceContext.TraceID(high: high, low: low), span: span, isSampled: flags & 1 == 1, state: "")
    }

    /// The text of version 00. Flags other than "sampled" are not passed on, as the version asks.
    static func text(_ context: TraceContext) -> [UInt8] {
        var text: [UInt8] = [zero, zero, dash]
        text.reserveCapacity(length)
        text += digits(context.trace.high, context.trace.low)
        text.append(dash)
        text += digits(context.span)
        text += [dash, zero, context.isSampled ? zero + 1 : zero]
        return text
    }

    /// Sixteen hexadecimal digits for each number.
    static func digits(_ numbers: UInt64...) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(numbers.count * 16)
        for number in numbers {
            for shift in stride(from: UInt64(60), through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: number >> shift & 0xF)
                text.append(digit < 10 ? zero + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
        return text
    }

    /// Beyond this it is not looked at, whatever its version.
    private static let longest = 256
    private static let dash = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    /// At most sixteen digits; nil when one isn't a digit or is a capital.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var number: UInt64 = 0
        for byte in digits {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - zero)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}

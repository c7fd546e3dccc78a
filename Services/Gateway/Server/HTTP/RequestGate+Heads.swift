internal import Foundation
internal import GatewayCore
internal import Hummingbird
internal import NIOHTTP1

extension RequestHead {
    init(_ head: HTTPRequestHead) {
        self.init(
            method: head.method.rawValue, target: head.uri, isHTTP10: head.version == .http1_0,
            hosts: head.headers["Host"])
        transferEncoding = head.headers["Transfer-Encoding"].joined(separator: ",")
        expectation = head.headers["Expect"].joined(separator: ",")
        hasContentLength = head.headers.contains(name: "Content-Length")
    }
}

extension ErrorAnswers.Wish {
    init(_ head: HTTPRequestHead) {
        path = String(head.uri.prefix { $0 != "?" })
        method = head.method.rawValue
        accept = Self.joined(head.headers["Accept"])
        acceptLanguage = Self.joined(head.headers["Accept-Language"])
    }
}

extension Refusal {
    init(_ fault: RequestFault) {
        self.init(status: fault.status, ErrorBody(code: fault.code, message: fault.message, reason: fault.reason))
    }

    static func tooManyConnections(_ bound: ConnectionPlaces.Bound) -> Refusal {
        let message =
            switch bound {
            case .all: "too many connections (maximumConnections)"
            case .perClient: "too many connections from one address (maximumConnectionsPerClient)"
            case .perNetwork: "too many connections from one network (maximumConnectionsPerNetwork)"
            }
        var refusal = Refusal(
            status: bound == .all ? 503 : 429,
            ErrorBody(code: "RESOURCE_EXHAUSTED", message: message, reason: "TOO_MANY_CONNECTIONS"))
        refusal.headers[.retryAfter] = "5"
        return refusal
    }
}

/// The time as HTTP writes it (RFC 9110, section 5.6.7).
enum HTTPDate {
    static var now: String { text(Date()) }

    static func text(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
}

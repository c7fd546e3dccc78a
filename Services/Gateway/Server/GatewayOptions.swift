package import ArgumentParser
internal import Foundation
internal import GatewayCore
internal import ServiceKit

/// The options that only the gateway has. Each has an environment variable as its fallback; the command line wins.
package struct GatewayOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to serve HTTP (SAMTAL_HTTP; default 127.0.0.1:8080). An IPv6 address goes in brackets.",
            valueName: "host:port"))
    package var http: String?

    @Option(
        help: ArgumentHelp(
            "A file to write HOST:PORT to once HTTP is served, for scripts that choose port 0.", valueName: "path"))
    package var httpAddressFile: String?

    @Option(
        help: ArgumentHelp(
            """
            Where browsers reach the gateway, for links; with https, browsers are told to use nothing else \
            (SAMTAL_PUBLIC_URL; default: wherever the page came from).
            """, valueName: "url"))
    package var publicURL: String?

    @Option(
        help: ArgumentHelp(
            """
            Whom organisations write to about their agreement, an address or NAME <ADDRESS>; shown on the administrators' \
            page (SAMTAL_CONTACT; default: nobody is named).
            """, valueName: "address"))
    package var contact: String?

    @Option(
        help: ArgumentHelp(
            """
            Whom anybody writes to when something doesn't work, an address or NAME <ADDRESS>; shown on every page \
            (SAMTAL_SUPPORT; default: nobody is named).
            """, valueName: "address"))
    package var support: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            The address of a proxy that says who the client is, in --client-address-header. May be repeated \
            (SAMTAL_TRUSTED_PROXIES, separated by spaces; default none: the header is ignored).
            """, valueName: "address"))
    package var trustedProxy: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            The one header in which trusted proxies say who the client is: forwarded or x-forwarded-for. The other is \
            ignored (SAMTAL_CLIENT_ADDRESS_HEADER; default x-forwarded-for). The proxy has to set it, or add to it, \
            itself: a client can write anything into a header that the proxy passes on.
            """, valueName: "header"))
    package var clientAddressHeader: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            How often one client may do something: join, ask, sign-in, refresh, read or write. BURST at once, then \
            PER_SECOND. May be repeated (SAMTAL_RATES, separated by spaces).
            """, valueName: "activity=burst/per-second"))
    package var rate: [String] = []

    package init() {}

    /// - Throws: `ValidationError` for the first option that can't be used.
    package func configuration(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> GatewayConfiguration {
        func list(_ own: [String], _ variable: String) -> [String] {
            own.isEmpty ? (environment[variable] ?? "").split(separator: " ").map(String.init) : own
        }
        var configuration = GatewayConfiguration()
        (configuration.host, configuration.port) = try Self.address(http ?? environment["SAMTAL_HTTP"])
        configuration.addressFile = httpAddressFile
        configuration.publicURL = try Self.origin(publicURL ?? environment["SAMTAL_PUBLIC_URL"])
        configuration.contact = try Self.contact(contact ?? environment["SAMTAL_CONTACT"], "--contact")
        configuration.support = try Self.contact(support ?? environment["SAMTAL_SUPPORT"], "--support")
        configuration.trustedProxies = try list(trustedProxy, "SAMTAL_TRUSTED_PROXIES").map(Self.proxy)
        configuration.clientAddressHeader = try Self.header(
            clientAddressHeader ?? environment["SAMTAL_CLIENT_ADDRESS_HEADER"])
        for text in list(rate, "SAMTAL_RATES") {
            let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard halves.count == 2, let activity = RateLimiter.Activity(rawValue: halves[0]),
                let rule = RateLimiter.Rule(halves[1])
            else { throw ValidationError("--rate \"\(text)\" is not ACTIVITY=BURST/PER_SECOND, such as ask=60/2") }
            configuration.rateRules[activity] = rule
        }
        return configuration
    }

    private static func address(_ text: String?) throws -> (host: String, port: Int) {
        guard let text, !text.isEmpty else { return ("127.0.0.1", 8080) }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ValidationError("--http \"\(text)\" is not HOST:PORT, such as 127.0.0.1:8080")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw ValidationError("--http \"\(text)\" names no host; for all: 0.0.0.0") }
        return (host, Int(port))
    }

    /// A scheme, a host and perhaps a port: pages hang their links right on it.
    private static func origin(_ text: String?) throws -> String? {
        guard let text, !text.isEmpty else { return nil }
        do throws(WebOrigin.Problem) {
            return try WebOrigin(text).description
        } catch {
            throw ValidationError("--public-url \"\(text)\" \(error). It is written like https://samtal.example.org")
        }
    }

    private static func contact(_ text: String?, _ option: String) throws -> Contact? {
        guard let text, !text.isEmpty else { return nil }
        guard let contact = Contact(text) else {
            throw ValidationError(
                "\(option) is no e-mail address, such as support@example.org or \"Support <support@example.org>\"")
        }
        return contact
    }

    private static func header(_ text: String?) throws -> ClientAddressHeader {
        guard let text, !text.isEmpty else { return .xForwardedFor }
        guard let header = ClientAddressHeader(rawValue: text.lowercased()) else {
            let names = ClientAddressHeader.allCases.map(\.rawValue).joined(separator: " nor ")
            throw ValidationError("--client-address-header \"\(text)\" is neither \(names)")
        }
        return header
    }

    private static func proxy(_ text: String) throws -> String {
        guard ClientAddresses.isAddress(text) else {
            throw ValidationError("--trusted-proxy \"\(text)\" is not an IP address")
        }
        return text
    }
}
